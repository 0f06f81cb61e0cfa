/** The same run in the editor's other looks: nothing may become unreadable. The pictures are for people. */
import { expect, test } from "../fixtures";
import { CAST, conversation, TASK } from "../talk";

for (const [name, theme] of [
  ["light", "Default Light Modern"],
  ["high-contrast", "Default High Contrast"],
  ["high-contrast-light", "Default High Contrast Light"],
] as const) {
  test(`the timeline in ${theme}`, async ({ furnish }) => {
    const { window, politerm } = await furnish({ settings: { "workbench.colorTheme": theme } }, (house) =>
      house.agents(conversation()),
    );
    await politerm.show();
    await politerm.start(TASK, CAST);
    await politerm.completed();
    await expect(politerm.message("41 passed")).toBeVisible();
    await window.picture(`theme-${name}`);
  });
}
