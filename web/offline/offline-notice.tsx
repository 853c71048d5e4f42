import { forgetOffline, keepOffline, offline, update } from "./service-worker";

/** Says in the footer whether the page works offline, and offers a newer version. */
export function OfflineNotice() {
  switch (offline.value) {
    case "unsupported":
      return null;
    case "off":
      return (
        <p>
          <button type="button" onClick={() => void keepOffline()}>
            Keep this page for offline use
          </button>
        </p>
      );
    case "kept":
      return (
        <p>
          This page works offline.{" "}
          <button type="button" onClick={() => void forgetOffline()}>
            Do not keep it
          </button>
        </p>
      );
    case "update":
      return (
        <p role="status">
          A newer version of this page is ready.{" "}
          <button type="button" onClick={update}>
            Load it
          </button>
        </p>
      );
  }
}
