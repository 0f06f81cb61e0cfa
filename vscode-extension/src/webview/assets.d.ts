/** Files that are no code; the bundler knows what to do with them. */
declare module "*.css";
