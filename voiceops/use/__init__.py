"""Use cases: what a command does, without its flags and its printing. docs/api.md says how scripts and services use it.

What is named here is imported when it is first asked for: whoever plans does not wait for the webhook runtime.
__init__.pyi says the same to type checkers.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PLACES: dict[str, tuple[str, ...]] = {
    "use.process_context": ("ProcessContext",),
    "use.load_project": (
        "Loaded",
        "load",
        "open_project",
        "root_of",
        "variables_of",
    ),
    "use.opened": ("Opened",),
    "use.scope_and_terms": ("Scope", "Terms"),
    "use.make_plan": ("plan",),
    "use.saved_plan": ("KeptPlan", "plan_data", "read_plan", "write_plan"),
    "use.apply_plan": ("apply", "warnings_of"),
    "use.roll_back": ("Goal", "Returned", "Returning", "plan_rollback", "rollback"),
    "use.read_drift": ("Drifted", "TakenOver", "accept_drift", "drift"),
    "use.read_history": ("History", "history"),
    "use.compare": ("Comparison", "Live", "compare_environments", "compare_revisions"),
    "use.adopt_object": ("adopt",),
    "use.adopt_many": ("ManyAdopted", "adopt_by_name", "adopt_listed"),
    "use.audit_account": ("Audited", "audit"),
    "use.pull_account": ("pull",),
    "adopt.wanted": ("Wanted",),
    "use.take_over": ("import_folder",),
    "use.explain_value": ("explain",),
    "use.last_calls": ("LastCall",),
    "use.read_status": ("Row", "status"),
    "use.make_preview": ("PreviewUp", "PreviewWanted", "preview_up"),
    "use.preview_terms": ("PreviewTerms",),
    "use.end_preview": ("PreviewDown", "preview_down", "preview_sweep"),
    "use.list_previews": ("base_of", "preview_list"),
    "use.preview_registry": ("open_for_state", "with_preview"),
    "preview.registered": ("Preview",),
    "use.doctor": ("Finding", "examine"),
    "use.retiring_models": ("ModelsReplaced", "replace_models"),
    "use.upgrade_manifests": ("Upgraded", "upgrade"),
    "use.validate_manifests": ("Checked", "validate"),
    "use.edit_state": (
        "forget_entry",
        "kept_states",
        "migrate_state",
        "move_entry",
        "restore_state",
        "state_entries",
        "state_entry",
        "unlock_state",
    ),
    "use.first_files": ("renew_pipeline", "start_project"),
    "use.write_runtime": ("WrittenRuntime", "generate_runtime"),
    "use.runtime_queue": ("queued_event", "queued_events", "replay_events"),
    "use.rotate_secret": ("Rotation", "drop_previous", "new_value", "rotation"),
    "use.rotation_steps": ("ROTATION_STEPS",),
    "use.runtime_needs": ("runtime_spec",),
    "use.serve_runtime": ("application", "reached_at", "stand_in"),
    "use.develop": ("Stage", "point_at", "stage"),
    "use.newer_facts": ("SchemaUpdate", "update_schema"),
    "use.show_schema": ("json_schema", "write_editor_schemas"),
    "use.tunnel": ("installed_tunnel", "open_tunnel"),
    "use.simulate_call": ("Rehearsal", "elsewhere", "rehearse", "simulate"),
    "use.signature_readings": ("Reading", "fitting", "readings_with", "signature_of"),
    "use.run_sandbox": ("make_sandbox_calls", "sandbox_server"),
    "use.read_calls": ("Fetched", "Forgotten", "ShownCall", "forget_caller", "list_calls", "show_call", "sync_calls"),
    "use.plan_calls": ("CallPlan", "CallWish", "prepare_calls"),
    "use.place_calls": ("Placed", "Placing", "follow_call", "make_calls"),
    "use.watch_calls": ("watch",),
    "use.test_run": ("run_tests",),
    "use.replay_calls": ("ReplayWanted", "replay"),
    "use.record_calls": ("Recorded", "record"),
    "use.told_calls": ("CallsWanted",),
    "testing.replay.replayed": ("Replay", "ReplayCost"),
    "testing.cases": ("TestsWanted",),
    "testing.outcome": ("TestKind", "TestReport"),
    "use.report_calls": ("Comparing", "compare_calls", "report"),
    "calls.alarm": ("Look",),
    "calls.store": ("CallFilter",),
    "calls.record": ("CallRecord",),
    "apply.apply_events": ("Event",),
    "apply.run": ("Outcome",),
    "audit.finding": ("AuditFinding",),
    "adopt.pulled": ("Pulled",),
    "migrate.folder_imported": ("FolderImported",),
    "explain.explained": ("Explained",),
    "outbound.call_result": ("CallResult",),
    "outbound.result_file": ("is_result", "result_csv"),
    "model.plan": ("Change", "Drift", "Plan"),
    "runtime.http.app": ("RuntimeApp",),
    "sandbox.server": ("SandboxServer",),
    "simulate.player": ("Moment", "Played"),
    "simulate.script": ("Script",),
}
_MODULE_OF = {name: module for module, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"voiceops.{_MODULE_OF[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted(_MODULE_OF)
