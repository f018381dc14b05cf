#!/usr/bin/env python3
"""What sslyze found, check by check. usage: judge.py FOUND.json EXIT_CODE_OF_SSLYZE"""
import json
import sys


def checks(scan):
    def result(name):
        return scan[name]["result"]

    for old in ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1"):
        yield f"no {old}", not result(old + "_cipher_suites")["accepted_cipher_suites"]
    for new in ("tls_1_2", "tls_1_3"):
        accepted = result(new + "_cipher_suites")["accepted_cipher_suites"]
        names = [one["cipher_suite"]["name"] for one in accepted]
        yield f"{new} is spoken", bool(names)
        yield f"{new} with AEAD suites only", all("GCM" in name or "POLY1305" in name for name in names)
    yield "no compression", not result("tls_compression")["supports_compression"]
    yield "not open to Heartbleed", not result("heartbleed")["is_vulnerable_to_heartbleed"]
    yield "not open to CCS injection", not result("openssl_ccs_injection")["is_vulnerable_to_ccs_injection"]
    yield "not open to ROBOT", result("robot")["robot_result"].startswith("NOT_VULNERABLE")
    renegotiation = result("session_renegotiation")
    yield "no renegotiation by clients", not renegotiation["is_vulnerable_to_client_renegotiation_dos"]
    yield "secure renegotiation is announced", renegotiation["supports_secure_renegotiation"]
    yield "no early data", not result("tls_1_3_early_data")["supports_early_data"]
    yield "downgrades are noticed", result("tls_fallback_scsv")["supports_fallback_scsv"]
    yield "extended master secret", result("tls_extended_master_secret")["supports_ems_extension"]


def main():
    with open(sys.argv[1], encoding="utf-8") as found:
        scan = json.load(found)["server_scan_results"][0]["scan_result"]
    results = [("complies with Mozilla's intermediate configuration", int(sys.argv[2]) == 0)]
    # A check that sslyze did not make is not a check that was passed.
    try:
        results.extend(checks(scan))
    except (KeyError, TypeError) as error:
        results.append((f"sslyze made every check: {error!r}", False))
    for what, good in results:
        if not good:
            print("FAILED " + what)
    bad = sum(not good for _, good in results)
    print(f"{len(results) - bad} passed, {bad} failed, 0 skipped")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
