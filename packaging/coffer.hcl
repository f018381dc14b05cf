# docs/configuration.md has every key. `coffer server -config=/etc/coffer/coffer.hcl -check` shows what this comes to.

listener "tcp"  { address = "127.0.0.1:8200" }
listener "unix" {
  address     = "/run/coffer/coffer.sock"
  socket_mode = "0660"
}

storage "sqlite" { path = "/var/lib/coffer" }

# SoftHSM is for development and tests only. With another token: its label, its module, and the PIN as the systemd
# credential coffer-pin (see coffer.service) in place of pin-source.
token {
  uri            = "pkcs11:token=coffer?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/coffer/private/pin"
  so_pin_source  = "/etc/coffer/private/so-pin"
  softhsm_config = "/etc/coffer/softhsm2.conf"
}
