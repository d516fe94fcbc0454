#!/usr/bin/env bash
# Runs Chromium on a screen of its own. Port 6080: that screen as a web page, behind a password. Port 9222: DevTools, for
# whoever can connect; let nobody but Chatkeep.
set -euo pipefail

PASSWORD_FILE=${PASSWORD_FILE:-/run/secrets/browser_password}
START_PAGE=${START_PAGE:-https://chatgpt.com/}
DISPLAY_NUMBER=1
VNC_PORT=5901
# Chromium listens on loopback only, whatever it is told.
DEVTOOLS_PORT=9221

say() { printf 'browser: %s\n' "$*" >&2; }

password=$(head -n 1 "$PASSWORD_FILE" 2>/dev/null || true)
if ((${#password} < 8)); then
  say "$PASSWORD_FILE does not hold a password of at least 8 characters (the first 8 count): put one there."
  exit 2
fi
tigervncpasswd -f <<<"$password" >/tmp/vnc_password
chmod 600 /tmp/vnc_password
unset password

# A container that was not stopped in order leaves its locks behind, and the profile is this container's alone.
rm -f /profile/chromium/Singleton*

mkdir -p -m 1777 /tmp/.X11-unix
Xtigervnc ":$DISPLAY_NUMBER" -geometry 1280x800 -depth 24 -localhost -rfbport "$VNC_PORT" -SecurityTypes VncAuth \
  -PasswordFile /tmp/vnc_password -AlwaysShared -nolisten tcp -desktop 'Chatkeep: sign in to ChatGPT' &
export DISPLAY=":$DISPLAY_NUMBER"
for _ in {1..100}; do
  [[ -S /tmp/.X11-unix/X$DISPLAY_NUMBER ]] && break
  sleep 0.1
done
matchbox-window-manager -use_titlebar yes &
websockify --web /usr/share/novnc 6080 "127.0.0.1:$VNC_PORT" &
socat TCP-LISTEN:9222,fork,reuseaddr "TCP:127.0.0.1:$DEVTOOLS_PORT" &

sandbox=()
if ! unshare --user true 2>/dev/null; then
  say 'this machine lets no container make a user namespace: Chromium runs without its sandbox (see docs/how-to/browser-login.md).'
  sandbox=(--no-sandbox --test-type)
fi

chromium=
# On SIGTERM Chromium leaves at once, and the cookies of its last half minute are lost.
stop() {
  if [[ -n $chromium ]]; then
    timeout 5 node -e "
      const { webSocketDebuggerUrl } = await (await fetch('http://127.0.0.1:$DEVTOOLS_PORT/json/version')).json();
      const socket = new WebSocket(webSocketDebuggerUrl);
      socket.onopen = () => socket.send(JSON.stringify({ id: 1, method: 'Browser.close' }));
    " 2>/dev/null || kill -TERM "$chromium" 2>/dev/null || true
    wait "$chromium" || true
  fi
  exit 0
}
trap stop TERM INT

# Whoever closes the last window means "away with it", not "no more backups".
while true; do
  /usr/lib/chromium/chromium "${sandbox[@]}" --user-data-dir=/profile/chromium --remote-debugging-port="$DEVTOOLS_PORT" \
    --no-first-run --no-default-browser-check --password-store=basic --disable-dev-shm-usage --disable-gpu \
    --hide-crash-restore-bubble --start-maximized --log-level=3 "$START_PAGE" &
  chromium=$!
  wait -n || true
  kill -0 "$chromium" 2>/dev/null && { say 'a part of the screen has ended; starting anew.'; exit 1; }
  say 'Chromium has ended; it is started again.'
  sleep 2
done
