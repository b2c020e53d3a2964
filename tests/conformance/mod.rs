//! One suite for every backend: what holds on SQLite holds on PostgreSQL, word for word.

mod appointments;
mod blobs;
mod catalogue;
mod correspondence;
mod destroy;
mod exports;
pub mod finding;
mod fixture;
mod flags;
mod inbox;
mod incidents;
mod journal;
mod keeping;
mod late;
mod numbers;
pub mod openings;
mod reading_role;
mod reviewing;
mod revocations;
mod room;
mod search;
mod special;
pub mod stage;

use stage::Stage;

/// Runs each test on each backend, on databases of its own.
macro_rules! on_every_backend {
    ($($room:ident: $($test:ident),+ $(,)?;)+) => {
        mod sqlite {
            $($(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::Stage::sqlite().run(|stage| async move { super::$room::$test(&stage).await }).await;
            })+)+
        }

        mod postgresql {
            $($(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                if let Some(stage) = super::Stage::postgresql() {
                    stage.run(|stage| async move { super::$room::$test(&stage).await }).await;
                }
            })+)+
        }
    };
}

on_every_backend! {
    appointments:
        an_appointment_stands_with_its_entry_until_it_ends,
        a_queue_holds_the_channels_of_its_scopes;
    catalogue:
        organisations_and_channels_keep_what_was_declared_first,
        facts_hold_by_date,
        a_batch_is_visible_as_a_whole,
        a_batch_that_fails_anywhere_leaves_nothing,
        names_are_completed_and_never_lose_what_is_known,
        a_deletion_reaches_a_record_that_was_there_before,
        versions_stand_beside_each_other_and_one_is_in_force,
        conversations_that_turn_out_to_be_one_are_joined,
        captures_are_known_by_their_bytes_once_they_are_whole,
        what_was_put_off_is_due_after_a_restart_whatever_the_clock_says,
        what_was_known_before_digests_were_cut_is_known;
    correspondence:
        decisions_stand_with_what_the_ledger_committed_to,
        a_formal_message_is_handled_once_and_keeps_its_time_of_receipt,
        letters_are_written_all_or_none_and_confirmed_by_case,
        how_reactions_sounded_is_added_up_by_thread,
        what_was_counted_by_day_is_carried_over_by_month,
        what_a_changed_fact_decides_waits_in_the_transaction_that_changed_it,
        an_answer_is_of_one_version_and_the_decision_in_force_comes_first,
        answers_from_before_are_of_the_version_that_was_decided_on_with_them;
    destroy:
        a_destruction_stands_with_its_entry_or_not_at_all,
        a_joined_conversation_takes_what_was_destroyed_in_it_along,
        a_turn_is_asked_for_until_a_later_epoch_is_in_force,
        bodies_are_wrapped_anew_wherever_they_stand,
        no_old_copy_opens_what_was_destroyed;
    exports:
        values_of_a_grant_are_made_anew_with_what_is_published_anew,
        an_export_and_its_package_go_with_the_grant,
        what_is_not_as_it_was_takes_the_packages_that_hold_it_along,
        the_airlock_keeps_what_came_first_until_it_is_emptied,
        a_step_of_an_export_stands_with_its_entry_or_not_at_all,
        who_has_an_export_is_known_with_the_step_that_gives_it;
    flags:
        flags_come_with_their_batch_and_wait_in_the_queue,
        the_queue_holds_what_may_be_read_but_for_its_flags,
        a_judgement_stands_with_its_entry_or_not_at_all,
        a_flag_found_anew_keeps_its_verdict_and_one_that_is_gone_goes,
        a_database_made_before_flags_is_looked_through_anew;
    keeping:
        segments_that_waited_longest_are_read_back_first,
        the_newest_milestone_stands,
        a_version_of_a_policy_is_kept_once,
        what_was_sealed_is_added_up_by_when_it_came;
    journal:
        an_entry_is_durable_with_its_transaction,
        a_transaction_that_failed_leaves_no_entry,
        an_error_in_a_group_reaches_whom_it_belongs_to,
        receipts_verify_and_only_under_the_logs_key,
        two_sequencers_make_one_log_without_gaps,
        two_logs_are_numbered_apart,
        bodies_stand_apart_and_can_be_erased,
        evidence_is_kept_by_log_and_size,
        a_head_that_does_not_fit_the_entries_stops_the_log,
        a_head_that_moved_is_refused;
    openings:
        a_request_opens_what_it_reaches_and_nothing_else,
        a_request_that_does_not_fit_its_basis_is_told_everything_at_once,
        a_second_person_approves_the_exact_request_once,
        a_request_that_was_changed_opens_nothing,
        a_request_ends_at_its_time_and_at_once_when_revoked,
        a_thread_is_reached_as_it_stood_when_it_was_asked,
        opening_at_once_is_alarmed_and_must_be_justified;
    finding:
        records_are_found_back_by_what_is_asked,
        searching_is_for_who_asked_within_their_request,
        what_can_be_found_goes_with_its_record_and_reads_as_nothing,
        a_person_concerned_is_answered_with_what_is_theirs,
        nobody_proves_alone_that_an_account_is_somebodys,
        one_person_copies_as_much_as_the_basis_covers,
        the_copy_names_everyone_who_received_it,
        in_what_they_wrote_their_own_number_can_be_read,
        a_restriction_withholds_everywhere_at_once_and_can_be_lifted,
        the_officer_sees_who_opened_what_and_the_public_log_tells_nothing_small;
    numbers:
        what_was_there_before_rows_had_numbers_reads_the_same,
        what_many_rows_say_alike_stands_once,
        what_came_in_at_different_times_is_found_together;
    incidents:
        a_visible_name_is_withheld_until_it_is_judged,
        what_was_missed_and_read_opens_an_incident,
        what_only_the_public_read_opens_an_incident,
        what_nobody_read_opens_nothing_and_what_comes_up_late_counts,
        what_was_shown_before_there_was_a_table_of_it_is_carried_over,
        a_correction_stays_when_the_record_is_computed_anew,
        a_grant_has_a_finding_aid_that_tells_nothing_small,
        a_citation_tells_what_became_of_it_in_its_own_grant;
    late:
        an_entry_that_commits_late_is_numbered,
        what_comes_late_to_the_outbox_goes_down,
        a_transaction_that_is_given_up_while_it_begins_holds_nothing;
    room:
        publishing_twice_is_publishing_once,
        what_is_no_longer_published_is_withdrawn,
        names_are_drawn_for_each_grant,
        pseudonyms_stay_with_a_person_in_a_grant,
        a_revoked_grant_has_no_names_left,
        a_grant_covers_its_channels_until_its_time,
        the_names_of_a_grant_that_is_over_go_and_nothing_is_found_by_them,
        what_is_refused_is_looked_up_by_digest,
        what_was_published_before_numbers_is_carried_over;
    reviewing:
        what_waits_is_listed_by_kind_and_counted,
        doubts_wait_as_long_as_they_are_in_doubt,
        what_people_say_stands_with_its_entry_or_not_at_all,
        what_a_restore_withholds_waits_and_no_edit_releases_it,
        judgements_are_paired_with_detectors_and_with_each_other;
    revocations:
        a_revocation_stands_with_its_entry_and_its_way_down_or_not_at_all,
        what_was_lifted_can_be_revoked_again;
    search:
        every_page_together_gives_everything_once,
        words_days_and_channels_select_what_they_say,
        words_of_people_are_only_ever_values,
        many_answers_are_found_as_few_are;
    special:
        special_categories_are_read_under_grants_that_name_them_once_judged,
        a_basis_that_does_not_allow_it_takes_no_special_categories;
    inbox:
        messages_keep_their_order,
        nothing_is_changed_or_removed,
        a_thousand_at_once_are_all_kept;
    reading_role:
        the_reading_room_reads_projections_and_appends_to_the_inbox_and_nothing_else;
}
