"""The scenarios that `make test` and CI run at each push: for each claim of the product the ones that stand for it.

All scenarios run with `make test-scenarios`. `tests/unit/test_chosen.py` holds this list: each invariant is here, each
test that is named exists, and each file of scenarios is here or says in `NOT_CHOSEN` why not.
"""

from collections.abc import Iterable

CHOSEN = {
    "I1: the image's content comes from the commit's verified Git objects": (
        "scenarios/test_attacks_content.py::test_a_planted_object_is_refused_before_anything_is_built",
        "scenarios/test_attacks_content.py::test_links_out_of_the_context_bring_nothing_into_the_image",
        "scenarios/test_checkouts.py::test_without_a_checkout_exactly_the_commit_is_fetched_and_the_token_is_seen_nowhere",
        "scenarios/test_gate_build.py::test_a_context_in_a_subfolder_and_a_dockerfile_beside_it_are_built",
        "scenarios/test_gate_fresh.py::test_only_committed_bytes_of_the_head_reach_the_image",
        "scenarios/test_gate_same_second.py::test_two_commits_of_one_second_with_files_of_one_size_are_told_apart[private]",
        "scenarios/test_incomplete.py::test_what_a_build_would_see_closes_it",
        "scenarios/test_standing_context.py::test_whatever_a_commit_makes_of_a_path_the_image_has_it",
        "scenarios/test_standing_context.py::test_what_was_changed_in_the_context_reaches_no_image[private]",
    ),
    "I2: the commit is in the image's label, and no other label is believed": (
        "scenarios/test_attacks.py::test_an_image_upon_the_proven_one_has_its_label_and_is_not_promoted_in_its_place",
        "scenarios/test_gate_fresh.py::test_the_commit_wins_over_every_label_and_argument_of_the_dockerfile",
        "scenarios/test_promote_refusals.py::test_a_label_that_does_not_say_the_commit_is_refused[<no value>]",
        "scenarios/test_promote_refusals.py::test_a_label_that_does_not_say_the_commit_is_refused[]",
        "scenarios/test_promote_refusals.py::test_the_label_of_a_base_image_is_refused[private]",
        "scenarios/test_verify.py::test_a_plain_build_with_the_argument_is_label_only[private]",
        "scenarios/test_verify.py::test_every_doubt_is_refused[machine-missing]",
        "scenarios/test_verify.py::test_every_doubt_is_refused[private-different]",
    ),
    "I3: what answers on the staging port is a container of exactly that image": (
        "scenarios/test_attacks.py::test_a_container_that_imitates_composes_labels_is_not_taken_for_staging",
        "scenarios/test_attacks_content.py::test_a_listener_on_ipv6_does_not_answer_for_staging",
        "scenarios/test_gate_stale.py::test_staging_that_changes_after_its_check_passed_is_stale[replaces it]",
        "scenarios/test_old_bytes.py::test_an_anonymous_volume_stays_with_its_commit_on_staging[current]",
    ),
    "I4: the staging check runs inside that container, and nothing but exit status 0 passes": (
        "scenarios/test_check_connection.py::test_a_check_whose_connection_is_cut_closes_the_gate_and_ends[on both sides]",
        "scenarios/test_gate_check.py::test_a_check_that_does_not_pass_closes_the_gate[it does not end]",
        "scenarios/test_gate_check.py::test_a_check_that_does_not_pass_closes_the_gate[it is missing]",
        "scenarios/test_gate_check.py::test_the_check_runs_after_health_in_the_fresh_container_and_knows_its_commit",
        "scenarios/test_hold.py::test_a_staging_that_crashes_behind_the_check_closes_the_gate",
    ),
    "I5: closed by default": (
        "scenarios/test_attacks_text.py::test_no_label_commands_the_runner",
        "scenarios/test_attacks_text.py::test_no_password_of_the_engines_address_is_shown[gate-tcp://deploy:{}@127.0.0.1:1]",
        "scenarios/test_attacks_text.py::test_no_password_of_the_engines_address_is_shown[promote-ssh://deploy:{}@127.0.0.1:1]",
        "scenarios/test_faults_disk.py::test_a_build_on_a_full_disk_closes_the_gate_and_staging_stays",
        "scenarios/test_faults_hang.py::test_an_engine_that_hangs_closes_the_gate",
        "scenarios/test_gate_deaths.py::test_a_kill_during_the_check_ends_the_check_in_the_container",
        "scenarios/test_gate_deaths.py::test_a_kill_during_the_writing_of_the_outputs_leaves_the_gate_closed",
        "scenarios/test_gate_outputs.py::test_a_disk_that_is_full_at_the_end_leaves_the_gate_closed",
    ),
    "I6: the gate cannot touch production": (
        "scenarios/test_gate_fresh.py::test_no_other_service_is_started_or_recreated",
        "scenarios/test_gate_settings.py::test_what_staging_must_not_share_is_a_settings_error[a port with a service that a profile hides]",
        "scenarios/test_gate_settings.py::test_what_staging_must_not_share_is_a_settings_error[production's port]",
        "scenarios/test_gate_stale.py::test_a_foreign_container_in_the_way_is_stale_before_anything_is_built[a container has the port]",
        "scenarios/test_ownership.py::test_the_gate_leaves_a_production_alone_that_has_the_same_project_and_service",
    ),
    "I7: production is retagged by image ID": (
        "scenarios/test_attacks.py::test_a_tag_that_moves_without_pause_ships_the_proven_image_or_none",
        "scenarios/test_promote_outcomes.py::test_the_image_that_the_gate_proved_becomes_production",
        "scenarios/test_promote_refusals.py::test_the_image_id_ships_what_was_proven_whatever_the_tag_names_meanwhile",
        "scenarios/test_promote_retag.py::test_without_recreation_only_the_tag_moves",
    ),
    "I8: every doubt is a refusal before the first write, and no step on the host is cut in the middle": (
        "scenarios/test_ancestry.py::test_backwards_and_sideways_it_takes_a_reason_that_is_recorded[behind]",
        "scenarios/test_faults_engine.py::test_an_engine_that_ends_before_the_first_write_changes_nothing",
        "scenarios/test_gate_deaths.py::test_a_kill_during_the_recreation_lets_compose_come_to_its_end",
        "scenarios/test_promote_interrupts.py::test_interrupted_before_the_first_write_nothing_changes",
        "scenarios/test_promote_interrupts.py::test_interrupted_while_compose_recreates_it_is_not_cut",
        "scenarios/test_promote_refusals.py::test_a_foreign_container_on_productions_port_is_refused",
        "scenarios/test_promote_refusals.py::test_a_refusal_writes_with_no_docker_program_at_all",
    ),
    "I9: a failed promotion ends with the previous image serving and tagged": (
        "scenarios/test_configuration.py::test_a_failed_promotion_goes_back_to_the_configuration_too_and_the_correction_is_promoted",
        "scenarios/test_faults_files.py::test_a_workspace_that_goes_during_a_promotion_costs_the_promotion_only",
        "scenarios/test_faults_images.py::test_an_image_that_is_deleted_before_compose_runs_it_costs_the_promotion_only",
        "scenarios/test_hold.py::test_what_crashes_after_it_was_healthy_is_taken_back[always]",
        "scenarios/test_failed_promotion.py::test_a_bad_image_leaves_the_previous_one_serving[never gets healthy]",
        "scenarios/test_failed_promotion.py::test_the_way_back_leads_to_what_ran_and_not_to_what_the_tag_named[private]",
        "scenarios/test_failed_promotion.py::test_a_first_deployment_that_fails_leaves_nothing[private]",
        "scenarios/test_failed_promotion.py::test_when_the_way_back_fails_too_the_commands_it_names_bring_production_back[machine]",
    ),
    "I10: disabled and out of scope are never fresh, and loud": (
        "scenarios/test_gate_surroundings.py::test_a_switched_off_gate_opens_loudly_and_proves_nothing",
        "scenarios/test_promote_switches.py::test_switched_off_an_unproven_image_is_promoted_loudly",
    ),
    "I11: the same commit twice recreates nothing and checks everything": (
        "scenarios/test_gate_fresh.py::test_the_same_commit_again_recreates_nothing_and_checks_everything",
        "scenarios/test_promote_outcomes.py::test_what_production_runs_already_is_left_alone[machine-current]",
        "scenarios/test_promote_outcomes.py::test_what_production_runs_already_is_left_alone[private-machine's]",
    ),
    "I12: nothing found is never fine": (
        "scenarios/test_gate_health.py::test_a_healthcheck_decides_where_there_is_no_path",
        "scenarios/test_gate_health.py::test_no_path_and_no_healthcheck_is_refused_before_staging_changes[no HEALTHCHECK]",
        "scenarios/test_gate_health.py::test_no_answer_is_unhealthy_at_the_deadline",
        "scenarios/test_promote_refusals.py::test_an_image_whose_health_nobody_could_tell_is_refused",
        "scenarios/test_portless.py::test_what_nothing_could_prove_is_refused_with_three_ways_out",
        "scenarios/test_portless.py::test_where_running_is_enough_it_runs_for_the_hold_time",
    ),
    "I13: nothing from the work tree lies over the image": (
        "scenarios/test_loss.py::test_a_relative_mount_in_another_folder_leaves_no_data_behind",
        "scenarios/test_mounts.py::test_a_promotion_looks_at_productions_own_mounts",
        "scenarios/test_mounts.py::test_what_hides_what_was_built_is_refused_before_staging_changes",
    ),
    "the commit is the one that the event means, and a fork's is refused": (
        "scenarios/test_by_hand.py::test_a_forks_commit_by_hand_is_refused_although_the_forge_serves_it",
        "scenarios/test_forks.py::test_where_the_run_holds_secrets_one_switch_is_not_enough[pull_request_target]",
        "scenarios/test_gate_surroundings.py::test_a_fork_is_refused_without_a_call_to_docker",
        "scenarios/test_head.py::test_a_head_that_moves_while_staging_is_checked_closes_the_gate[on_github]",
        "scenarios/test_head.py::test_on_gitea_payload_sha_and_server_agree_and_the_server_is_asked_twice",
        "scenarios/test_head.py::test_on_github_the_head_is_fetched_and_built_not_the_merge",
    ),
    "settings: every problem at once, and what Compose reads is what we read": (
        "scenarios/test_compose_files.py::test_an_override_is_read_and_a_production_of_two_files_loses_neither",
        "scenarios/test_gate_settings.py::test_every_problem_is_reported_at_once",
        "scenarios/test_settings_file.py::test_a_commit_cannot_name_where_staging_runs[environment]",
        "scenarios/test_settings_file.py::test_the_gate_takes_the_commits_file_and_not_the_work_trees",
        "scenarios/test_promote_settings.py::test_every_problem_is_told_at_once",
        "scenarios/test_variables.py::test_production_keeps_its_secrets",
        "scenarios/test_variables.py::test_neither_a_builds_nor_a_containers_output_repeats_a_secret",
    ),
    "killed at any moment": (
        "scenarios/test_kills.py::test_killed_at_any_call_to_docker[9]",
        "scenarios/test_kills.py::test_killed_at_any_time[15]",
    ),
    "one run at a time, and what a dead one left is taken over": (
        "scenarios/test_recovery.py::test_a_mending_that_fails_is_tried_again_by_the_next",
        "scenarios/test_lock.py::test_a_compose_that_a_killed_promotion_left_at_work_still_holds",
        "scenarios/test_lock.py::test_a_promotion_that_waits_too_long_is_refused_and_names_the_holder",
        "scenarios/test_lock.py::test_promotions_at_once_come_one_after_the_other",
        "scenarios/test_lock.py::test_two_gates_at_once_come_one_after_the_other",
        "scenarios/test_lock.py::test_unlock_breaks_what_a_dead_holder_left_and_the_next_run_still_undoes_it",
    ),
    "a rollback is a promotion of an earlier proven image": (
        "scenarios/test_faults_prune.py::test_a_prune_between_promote_and_rollback_takes_the_older_images_and_that_is_said[classic]",
        "scenarios/test_rollback.py::test_a_rollback_to_an_unproven_image_is_refused",
        "scenarios/test_rollback.py::test_rollback_brings_the_previous_image_back",
        "scenarios/test_rollback.py::test_the_last_images_are_kept_and_older_ones_are_let_go[private]",
    ),
    "start-first fails no request": (
        "scenarios/test_start_first.py::test_a_failing_promotion_leaves_the_old_container_as_it_was[never gets healthy]",
        "scenarios/test_start_first.py::test_neither_a_promotion_nor_a_rollback_fails_a_request",
        "scenarios/test_start_first.py::test_what_a_killed_promotion_left_beside_is_finished_or_undone[while both serve]",
    ),
    "another Engine over ssh and TLS": (
        "scenarios/test_remote_ssh.py::test_a_connection_lost_while_compose_recreates_is_made_anew_for_the_way_back",
        "scenarios/test_remote_ssh.py::test_a_whole_promotion_is_one_login",
        "scenarios/test_remote_ssh.py::test_a_lost_connection_closes_the_gate",
        "scenarios/test_remote_tls.py::test_a_whole_gate",
        "scenarios/test_remote_tls.py::test_a_whole_promotion",
        "scenarios/test_remote_tls.py::test_who_has_no_certificate_that_the_engine_trusts_is_told_so",
    ),
    "what Engine and tools do otherwise": (
        "scenarios/test_compose_versions.py::test_another_version_of_compose_is_no_reason_to_make_production_anew",
        "scenarios/test_engines.py::test_the_private_engine_keeps_images_in_containerd",
        "scenarios/test_faults_containers.py::test_a_production_that_is_removed_while_it_changes_is_brought_back",
        "scenarios/test_faults_port.py::test_a_process_that_takes_the_port_for_a_moment_costs_the_promotion_only",
        "scenarios/test_image_store.py::test_what_ran_on_the_other_store_still_counts_for_the_direction",
    ),
    "a gate asks nothing twice, and its report says where its time went": (
        "scenarios/test_benchmarks.py::test_the_gates_own_time_is_measured_against_its_peer",
        "scenarios/test_speed.py::test_a_gate_starts_three_children_and_lists_everything_once",
        "scenarios/test_speed.py::test_the_phases_in_the_report_add_up_to_the_whole[none]",
        "scenarios/test_several_services.py::test_services_that_do_not_need_each_other_are_recreated_in_one_call",
    ),
    "an application unlike the usual one": (
        "scenarios/test_gate_other_application.py::test_an_application_from_scratch_is_gated_and_promoted",
        "scenarios/test_two_folders.py::test_staging_in_a_project_of_its_own_is_promoted_and_production_goes_back_without_it",
    ),
    "who only asks is answered": (
        "scenarios/test_doctor.py::test_each_problem_of_both_halves_is_a_line_of_its_own_and_the_gate_says_the_same",
        "scenarios/test_doctor.py::test_what_passes_has_no_problem_before_and_after_its_deployment",
        "scenarios/test_dry_run.py::test_a_gate_says_what_it_would_build_and_stays_closed",
        "scenarios/test_dry_run.py::test_a_promotion_says_what_it_would_do_and_does_it_then[machine]",
        "scenarios/test_keeping.py::test_older_builds_go_and_what_is_in_use_or_has_another_name_stays",
        "scenarios/test_json.py::test_every_command_prints_what_the_schema_describes",
        "scenarios/test_status.py::test_status_in_words_tells_a_person_what_there_is_to_know",
        "scenarios/test_status.py::test_status_names_what_both_targets_run[private]",
    ),
    "what `init` writes for layouts that people have is gated": (
        "scenarios/test_init.py::test_nothing_that_is_there_is_overwritten_and_print_writes_nothing",
        "scenarios/test_init.py::test_what_is_written_passes_the_doctor_and_a_gate[overrides for both]",
        "scenarios/test_init.py::test_what_is_written_passes_the_doctor_and_a_gate[production alone]",
    ),
    "kill switch and scope reach both commands": (
        "scenarios/test_scope.py::test_the_gate_is_in_force_where_the_table_says_so[out of scope-GitHub]",
        "scenarios/test_scope.py::test_the_gate_is_in_force_where_the_table_says_so[disabled-Gitea]",
        "scenarios/test_scope.py::test_the_guard_is_in_force_where_the_table_says_so[out of scope]",
    ),
    "both actions, through act, beside the Engine and in a job's container": (
        "action/test_action_files.py",
        "action/test_closed.py::test_each_line_to_break_is_there",
        "action/test_closed.py::test_no_verdict_but_fresh_opens",
        "action/test_foreign_text.py::test_no_foreign_text_sets_anything",
        "action/test_gate_action.py::test_a_pull_request_is_gated_by_its_head_whatever_the_checkout_holds",
        "action/test_install.py::test_a_changed_hash_installs_nothing",
        "action/test_install.py::test_no_python_is_one_sentence[promote]",
        "action/test_install.py::test_the_first_start_installs_and_the_next_reuses",
        "action/test_killed.py::test_a_sigkill_in_any_phase_does_not_open",
        "action/test_promote_action.py::test_a_dispatch_promotes_what_the_gate_proved_and_nothing_else_does",
        "action/test_runners.py::test_a_job_in_a_container_gates",
        "action/test_unreachable.py::test_an_engine_that_cannot_be_reached_is_one_sentence",
    ),
    "several services of one commit are one verdict": (
        "scenarios/test_several_services.py::test_services_of_one_image_are_built_once_migrated_and_proven_together",
        "scenarios/test_several_services.py::test_a_migration_that_fails_leaves_every_service_as_it_was",
    ),
    "an image comes from the host where it was gated, and is proven on production's": (
        "scenarios/test_source_host.py::test_the_image_is_carried_over_once_and_proven_there[machine]",
        "scenarios/test_source_host.py::test_a_stream_that_is_cut_changes_nothing[private]",
        "scenarios/test_source_host.py::test_layers_that_are_there_are_not_sent_again_where_the_store_takes_that[machine]",
    ),
    "production on several Docker hosts is promoted as one, and taken back as one": (
        "scenarios/test_hosts.py::test_three_hosts_are_promoted_and_rolled_back_as_one",
    ),
    "replicas are replaced one after the other, and each is proven": (
        "scenarios/test_replicas.py::test_each_is_replaced_when_the_one_before_is_healthy",
        "scenarios/test_replicas.py::test_the_first_that_fails_ends_it_and_the_others_never_stopped",
    ),
    "several services of one commit are switched together, and taken back together": (
        "scenarios/test_application_promotion.py::test_all_services_are_switched_together_after_the_migration[private]",
        "scenarios/test_application_promotion.py::test_a_migration_that_fails_switches_nothing",
        "scenarios/test_deploy_application.py",
        "scenarios/test_application_promotion.py::test_what_was_killed_in_the_migration_is_not_finished_without_it",
        "scenarios/test_application_promotion.py::test_a_job_is_proven_as_the_services_are",
        "scenarios/test_application_promotion.py::test_one_that_fails_takes_all_of_them_back[machine]",
        "scenarios/test_application_promotion.py::test_a_rollback_takes_all_of_them_back_and_a_second_one_further",
        "scenarios/test_application_promotion.py::test_a_run_of_one_service_does_not_recover_what_was_begun_of_all",
    ),
    "what the forge is told decides nothing": (
        "scenarios/test_told_promotions.py::test_a_promotion_and_its_rollback_are_told_of_the_commit_that_each_put_into_production",
        "scenarios/test_told_promotions.py::test_a_forge_that_refuses_everything_keeps_no_promotion",
    ),
    "who has production alone is gated beside it, in a project that is thrown away": (
        "scenarios/test_throwaway.py::test_who_has_only_production_is_gated_beside_it_and_promotes_that_image[machine-machine's]",
        "scenarios/test_throwaway.py::test_who_has_only_production_is_gated_beside_it_and_promotes_that_image[private-current]",
        "scenarios/test_throwaway.py::test_what_reaches_beyond_the_project_is_refused_by_name[a socket]",
        "scenarios/test_layouts.py::test_a_layout_as_people_have_it_is_gated_with_settings_alone[anchors]",
    ),
    "what a registry holds under the digest is what was proven, or the gate stays closed": (
        "scenarios/test_gate_registry.py::test_what_was_proven_is_published_under_its_digest[machine-debian]",
        "scenarios/test_gate_registry.py::test_what_was_proven_is_published_under_its_digest[private-debian]",
        "scenarios/test_gate_registry.py::test_a_registry_that_lets_in_only_who_has_logged_in[debian-tokens]",
        "scenarios/test_gate_registry.py::test_what_the_registry_answers_differently_closes_the_gate[manifests/sha256:*]",
        "scenarios/test_gate_registry.py::test_a_registry_that_fails_in_the_middle_closes_the_gate[PUT 500]",
    ),
    "what one Engine proved another one runs, by its digest": (
        "scenarios/test_promote_registry.py::test_what_one_engine_proved_another_one_runs[classic to containerd]",
        "scenarios/test_promote_registry.py::test_the_tag_in_the_registry_follows_what_this_host_serves",
        "scenarios/test_promote_registry.py::test_without_recreation_the_tag_moves_and_no_image_does",
        "scenarios/test_registry_repositories.py::test_an_index_stays_whole_and_runs_on_either_store[private-debian]",
        "scenarios/test_registry_repositories.py::test_another_repository_gets_the_layers_without_a_byte_of_them[debian]",
    ),
    "production's tag in a registry names what production runs, after a way back too": (
        "scenarios/test_registry_rollback.py::test_a_rollback_that_was_cut_before_the_tag_followed_is_finished_by_the_next_run[killed]",
        "scenarios/test_registry_rollback.py::test_the_tag_goes_back_with_production_and_nothing_names_what_was_left[machine]",
    ),
    "production in a Swarm is one write by digest, or on one node by ID, proven in each slot": (
        "scenarios/test_swarm.py::test_one_node_needs_no_registry",
    ),
    "a job runs once, from one image, and the Engine alone says how it ended": (
        "scenarios/test_jobs.py::test_the_engine_says_how_it_ended_and_its_output_is_shown[3]",
        "scenarios/test_jobs.py::test_a_job_that_a_killed_run_left_is_waited_for_and_never_doubled",
    ),
    "a person deploys a branch by its name, and a gate that closes leaves production alone": (
        "scenarios/test_deploy_command.py::test_a_branch_is_gated_and_promoted_and_a_closed_gate_leaves_production_alone",
    ),
    "the demo: this repository is gated and promoted by itself through act": (
        "action/test_ci_workflow.py::test_ci_gates_and_promotes_this_version",
    ),
}
"""Claim to tests: by name with all their cases, or with one case in brackets, or a whole file."""

NOT_CHOSEN = {
    "scenarios/test_applications.py": "of the tests' own applications; each scenario stands on them",
    "scenarios/test_breaking_tools.py": "of the tests' own tools; a tool that breaks nothing fails what uses it",
    "scenarios/test_container_log.py": "one function of the log; the way back's scenarios show a log",
    "scenarios/test_installed.py": "it asks the package index and says nothing of a gate; a Tab's answer has a unit test",
    "action/test_job_container.py": "a gate in a job's container stands in test_runners.py; these are its rarer faults",
}
"""File to reason."""


def is_chosen(node: str) -> bool:
    """Whether `make test` runs this test: its path from `tests/` on, `::`, its name, and its case in brackets."""
    return not _lines().isdisjoint(_names_of(node))


def find_lost(nodes: Iterable[str]) -> list[str]:
    """The lines that name none of these tests, although their file is among them: a case that has another name now."""
    found = {name for node in nodes for name in _names_of(node)}
    return sorted(line for line in _lines() - found if line.partition("::")[0] in found)


def _names_of(node: str) -> set[str]:
    """What a line may call this test."""
    return {node, node.partition("[")[0], node.partition("::")[0]}


def _lines() -> set[str]:
    return {line for lines in CHOSEN.values() for line in lines}
