# Sourced by what needs a browser: Debian's Chromium, and a font so that its pictures have text.

install_chromium() {
    [ -x /usr/bin/chromium ] && fc-list 2>/dev/null | grep -q Liberation && return
    apt_install chromium fonts-liberation fontconfig
}
