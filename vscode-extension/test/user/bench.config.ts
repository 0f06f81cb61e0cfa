import config from "./playwright.config";

/** The same editor; what it prints is for people, and no second try makes a figure better. */
export default { ...config, testDir: "bench", retries: 0, reporter: [["line"]] };
