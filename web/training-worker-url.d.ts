declare module "virtual:training-worker-url" {
  /** The URL of the training worker: see vite.config.mjs. */
  const url: string;
  export default url;
}
