"""A link of the claim table opens the lesson it names and scrolls to the cell that decides."""

import lab
import pytest

from course_utils.claims import CLAIMS

pytestmark = pytest.mark.browser

TABLE = "notebooks/06_diagnosis.ipynb"
# Whether that cell of the notebook in front is on the screen, or at most so many screens off:
# JupyterLab guesses the height of what it has not drawn, and on a busy machine lands a little off.
ON_SCREEN = """([path, id, screens]) => {
    const panel = window.jupyterapp?.shell?.currentWidget;
    if (panel?.context?.path !== path) return false;
    const cell = panel.content.widgets.find(widget => widget.model.id === id);
    if (!cell?.node.isConnected) return false;
    const here = cell.node.getBoundingClientRect();
    const view = panel.content.node.getBoundingClientRect();
    const off = screens * view.height;
    return here.height > 0 && here.top < view.bottom + off && here.bottom > view.top - off;
}"""
TO_THE_TABLE = """async (path) => {
    await window.jupyterapp.commands.execute('docmanager:open', { path });
    const notebook = window.jupyterapp.shell.currentWidget.content;
    const shown = (cell) => cell.model.sharedModel.getSource().includes('claim_table()');
    await notebook.scrollToCell(notebook.widgets.find(shown), 'start');
}"""


@pytest.fixture(scope="module")
def server(student_edition, tmp_path_factory):
    """JupyterLab as a learner has it: it renders the cells that are near the screen."""
    scratch = tmp_path_factory.mktemp("lab")
    with lab.running_lab(student_edition, scratch) as running:
        plugin = scratch / "settings" / "@jupyterlab" / "notebook-extension"
        (plugin / "tracker.jupyterlab-settings").unlink()
        yield running


def follow(page, claim):
    """Go to the table, click the link of that claim, and wait for its cell."""
    page.evaluate(TO_THE_TABLE, TABLE)
    there = [f"notebooks/{claim.lesson}.ipynb", claim.cell]
    assert not page.evaluate(ON_SCREEN, [*there, 0])
    page.locator(f"{lab.VISIBLE} .jp-RenderedMarkdown td a[href$='#cell-id={claim.cell}']").click()
    page.wait_for_function(ON_SCREEN, arg=[*there, 1], timeout=30_000)


def test_every_link_of_the_claim_table_leads_to_its_cell(page, server):
    from playwright.sync_api import TimeoutError

    lab.open_notebook(page, server, TABLE)
    for claim in CLAIMS:
        try:
            follow(page, claim)
        except TimeoutError:  # once in some hundred, JupyterLab loses its way in what it draws
            follow(page, claim)  # as a reader would
        title = f"{claim.lesson.partition('_')[0]}-title"
        there = f"notebooks/{claim.lesson}.ipynb"
        assert not page.evaluate(ON_SCREEN, [there, title, 0]), "it stayed at the top"
