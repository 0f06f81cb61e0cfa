/** What a test is given: `furnish` makes a house and opens its window; at the end everything is taken down. */
import { test as base } from "@playwright/test";
import { type Furnishing, House } from "./house";
import { PoliTerm } from "./politerm";
import { Workbench } from "./workbench";

export interface Home {
  readonly house: House;
  readonly window: Workbench;
  readonly politerm: PoliTerm;
}

export interface Fixtures {
  /** `arrange` is done before the editor starts: files, agents. */
  readonly furnish: (furnishing?: Furnishing, arrange?: (house: House) => void) => Promise<Home>;
}

export const test = base.extend<Fixtures>({
  furnish: async ({ page }, use) => {
    const houses: House[] = [];
    await use(async (furnishing, arrange) => {
      const house = new House(furnishing);
      houses.push(house);
      arrange?.(house);
      const window = new Workbench(page);
      const politerm = new PoliTerm(house, window);
      await window.open(await house.start());
      await politerm.ready();
      return { house, window, politerm };
    });
    await page.close();
    await Promise.all(houses.map((house) => house.close()));
  },
});

export { expect } from "@playwright/test";
