"""What `passage demo` plays: the scenario files of this folder, repeated with other people for more cases."""
