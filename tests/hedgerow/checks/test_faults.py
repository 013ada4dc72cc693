"""Every check: silent at first, finds its fault, is fixed by what it prints, is silent again."""

import pytest

from hedgerow.checks import CHECKS
from tests.hedgerow.checks.fault import Fault
from tests.hedgerow.checks.faults import FAULTS, SECRET
from tests.hedgerow.checks.stage import Stage
from tests.support.databases import server_version

CHECK = {check.number: check for check in CHECKS}


IDS = [f"{fault.check}-{position}" for position, fault in enumerate(FAULTS)]


@pytest.mark.parametrize(
    ("stage", "fault"), [(fault, fault) for fault in FAULTS], ids=IDS, indirect=["stage"]
)
def test_a_fault_is_found_and_its_fix_fixes_it(stage: Stage, fault: Fault) -> None:
    check = CHECK[fault.check]
    if server_version(stage.database.owner_url) < fault.since:
        pytest.skip(f"needs PostgreSQL {fault.since // 10000}")
    if fault.server_version is not None:
        stage.server_version = _fixed_version(fault.server_version)
    (good,) = stage.answers(check)
    assert (good.findings, good.undetermined) == ((), None)

    models = stage.metadata
    stage.plant(fault)
    (bad,) = stage.answers(check)
    assert bad.undetermined is None
    subject = stage.name(fault.subject)
    assert subject in {finding.subject for finding in bad.findings}
    assert all("\n" not in finding.sentence for finding in bad.findings)

    if fault.by_hand:
        stage.metadata = models
        stage.autocommit = False
        stage.settings |= {"RLS_CONTEXT_SECRET": SECRET} if fault.lost_secret else {}
        stage.server_version = fault.server_version and _fixed_version(fault.server_version)
    for fix in dict.fromkeys(finding.fix for finding in bad.findings):
        if not fault.by_hand:
            stage.fix(fix)
    (fixed,) = stage.answers(check)
    assert (fixed.findings, fixed.undetermined) == ((), None)


def _fixed_version(version: int) -> int:
    return {150018: 150020, 180006: 180007}[version]
