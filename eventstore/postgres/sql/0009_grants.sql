-- Who may do what. The writer changes nothing but through the functions named here; nobody else changes anything.

SET LOCAL ROLE passage_owner;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA passage FROM PUBLIC;
GRANT USAGE ON SCHEMA passage TO passage_writer, passage_reader, passage_auditor;

-- Reads run as their caller.
GRANT SELECT ON ALL TABLES IN SCHEMA passage TO passage_writer;
GRANT EXECUTE ON FUNCTION
    passage.append_case, passage.append_programme, passage.receive, passage.claim_unrung, passage.mark_rung,
    passage.mark_call, passage.receipt, passage.read_world, passage.place_for, passage.count_free,
    passage.filed_number, passage.same_person, passage.shares
TO passage_writer;

-- Pages, lists and figures: no lookup hashes.
GRANT SELECT ON
    passage.events, passage.case_head, passage.programme_head, passage.inbox, passage.bell, passage.outbound_call,
    passage.waiting_list, passage.place_counter
TO passage_reader;

GRANT SELECT ON
    passage.events, passage.unsealed, passage.case_head, passage.programme_head, passage.inbox,
    passage.waiting_list, passage.place_counter
TO passage_auditor;
