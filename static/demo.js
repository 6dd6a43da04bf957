// The frame of a mail is as tall as the mail, at every width. Mails run no scripts; this page measures them.
(() => {
  "use strict";

  for (const frame of document.querySelectorAll(".mail iframe")) {
    const watch = () => {
      const mail = frame.contentDocument.documentElement;
      // A closed mail has no height.
      new ResizeObserver(() => {
        if (mail.offsetHeight > 0) frame.style.height = `${mail.offsetHeight}px`;
      }).observe(mail);
    };
    frame.addEventListener("load", watch);
    if (frame.contentDocument?.URL !== "about:blank" && frame.contentDocument?.readyState === "complete") watch();
  }
})();
