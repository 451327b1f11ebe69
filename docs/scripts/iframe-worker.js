// A page that was opened from a folder may not start a worker, and the search runs in one. Here it
// runs in a hidden frame instead. (The theme would load a script for this from the network; it
// leaves that out because this file has "iframe-worker" in its name.)
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.appendChild(frame);
      this.inside = frame.contentWindow;
      this.ready = new Promise((resolve) => frame.addEventListener("load", resolve));
      const script = document.createElement("script");
      script.src = url;
      this.inside.document.open();
      this.inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      this.inside.document.write(`<!doctype html><body>${script.outerHTML}</body>`);
      this.inside.document.close();
    }

    async postMessage(data) {
      await this.ready;
      this.inside.dispatchEvent(new MessageEvent("message", { data }));
    }
  };
}
