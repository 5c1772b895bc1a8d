-- Who may do what. Nobody changes anything but through the functions named here.

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA passage FROM PUBLIC;
GRANT USAGE ON SCHEMA passage
TO passage_writer, passage_reader, passage_auditor, passage_sealer, passage_eraser;

-- The application. Reads run as their caller.
GRANT SELECT ON ALL TABLES IN SCHEMA passage TO passage_writer;
GRANT EXECUTE ON FUNCTION
    passage.append_case, passage.append_programme, passage.write_notices, passage.list_notices, passage.receive, passage.claim_notifications,
    passage.mark_notified, passage.redrive, passage.receipt, passage.read_world,
    passage.read_place, passage.places_for, passage.good_reservation, passage.considered, passage.count_free,
    passage.filed_number, passage.same_person, passage.shares,
    passage.mark_call, passage.was_asked, passage.claim_unanswered, passage.note_heard,
    passage.admit_call, passage.note_failed_call, passage.note_taken_call,
    passage.lock_access, passage.access_result, passage.record_views, passage.record_history, passage.note_check,
    passage.append_checks, passage.keep_document,
    passage.record_refusals, passage.prune_refusals, passage.take_tokens, passage.note_repeat, passage.staff_reference,
    passage.revoke_token, passage.token_is_revoked, passage.note_read, passage.prune_reads
TO passage_writer;

-- Pages, lists and statistics: no lookup hashes, no documents.
GRANT SELECT ON
    passage.events, passage.case_head, passage.programme_head, passage.inbox, passage.notification, passage.notice,
    passage.outbound_call, passage.waiting_list, passage.place_counter, passage.pool, passage.programme_pool,
    passage.access_head, passage.legal_hold,
    passage.run_history, passage.partner_circuit, passage.refusal, passage.repeat, passage.rate_bucket,
    passage.log_size, passage.leaf, passage.tile, passage.checkpoint, passage.map_seal
TO passage_reader;

-- Auditors read, and record that they looked at a case.
GRANT SELECT ON
    passage.events, passage.unsealed, passage.case_head, passage.programme_head, passage.inbox,
    passage.waiting_list, passage.place_counter, passage.pool, passage.programme_pool, passage.access_head,
    passage.legal_hold, passage.run_history,
    passage.boarding_check, passage.refusal, passage.staff, passage.case_read,
    passage.notification, passage.outbound_call, passage.schema_migration,
    passage.log_size, passage.leaf, passage.tile, passage.checkpoint, passage.map_seal
TO passage_auditor;
GRANT SELECT (case_id) ON passage.case_person, passage.supporter_key TO passage_auditor;  -- whether, never who
GRANT EXECUTE ON FUNCTION
    passage.lock_access, passage.access_result, passage.record_views, passage.staff_reference
TO passage_auditor;

GRANT SELECT ON
    passage.unsealed, passage.log_size, passage.leaf, passage.tile, passage.checkpoint, passage.map_seal
TO passage_sealer;
GRANT EXECUTE ON FUNCTION
    passage.take_leaves, passage.take_map_leaf, passage.put_tiles, passage.put_checkpoint
TO passage_sealer;

-- Erasure is a role of its own: the application's can neither forget nor hold, and this one nothing else.
GRANT SELECT ON
    passage.events, passage.case_head, passage.programme_head, passage.inbox, passage.place_counter,
    passage.pool, passage.programme_pool, passage.waiting_list, passage.access_head, passage.legal_hold
TO passage_eraser;
GRANT EXECUTE ON FUNCTION
    passage.erase_case, passage.record_holds, passage.lock_access, passage.access_result,
    passage.staff_reference, passage.forget_staff
TO passage_eraser;
