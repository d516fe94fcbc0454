// @ts-check
/** Offers the browser's own time zone where the page counts in another: `<p data-zone="UTC" hidden>` with a link in it. */

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
for (const offer of document.querySelectorAll('[data-zone]')) {
  const link = offer.querySelector('a');
  if (!(offer instanceof HTMLElement) || link === null || offer.dataset.zone === zone) continue;
  link.textContent = `Use ${zone}, the time zone of this browser`;
  const address = new URL(link.href);
  address.searchParams.set('tz', zone);
  link.href = address.href;
  offer.hidden = false;
}
