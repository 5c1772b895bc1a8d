"""The external checks: for each a port, what is asked, and a typed client over HTTP.

A partner takes a request at once (202) and answers it later, as a message to the gateway. What goes out holds personal
data and so goes from an activity to the partner directly, never through Temporal (decision 8).
"""
