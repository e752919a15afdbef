"""The keywords of OpenSSH's client configuration, by what is done with them where plstui reads it itself."""

from __future__ import annotations

SINGLE = frozenset({
    "canonicalizehostname", "hostkeyalias", "hostname", "identitiesonly", "identityagent", "ignoreunknown", "port",
    "user",
})  # fmt: skip
"""One value, of which the first counts."""

LISTS = frozenset({"certificatefile", "identityfile", "userknownhostsfile"})
"""Several values count."""

OTHERS = frozenset({
    # These have rules of their own.
    "host", "include", "match", "proxycommand", "proxyjump",
    # These change neither where a connection leads nor who logs in, and are passed over. From readconf.c of OpenSSH 10.
    "addkeystoagent", "addressfamily", "afstokenpassing", "batchmode", "bindaddress", "bindinterface",
    "canonicaldomains", "canonicalizefallbacklocal", "canonicalizemaxdots", "canonicalizepermittedcnames",
    "casignaturealgorithms", "challengeresponseauthentication", "channeltimeout", "checkhostip", "cipher", "ciphers",
    "clearallforwardings", "compression", "compressionlevel", "connectionattempts", "connecttimeout", "controlmaster",
    "controlpath", "controlpersist", "dsaauthentication", "dynamicforward", "enableescapecommandline",
    "enablesshkeysign", "escapechar", "exitonforwardfailure", "fallbacktorsh", "fingerprinthash",
    "forkafterauthentication", "forwardagent", "forwardx11", "forwardx11timeout", "forwardx11trusted", "gatewayports",
    "globalknownhostsfile", "globalknownhostsfile2", "hashknownhosts", "hostbasedacceptedalgorithms",
    "hostbasedauthentication", "hostbasedkeytypes", "hostkeyalgorithms", "ipqos", "kbdinteractiveauthentication",
    "kbdinteractivedevices", "keepalive", "kerberosauthentication", "kerberostgtpassing", "kexalgorithms",
    "knownhostscommand", "localcommand", "localforward", "loglevel", "logverbose", "macs",
    "nohostauthenticationforlocalhost", "numberofpasswordprompts", "obscurekeystroketiming", "passwordauthentication",
    "permitlocalcommand", "permitremoteopen", "pkcs11provider", "preferredauthentications", "protocol",
    "proxyusefdpass", "pubkeyacceptedalgorithms", "pubkeyacceptedkeytypes", "pubkeyauthentication", "rekeylimit",
    "remotecommand", "remoteforward", "requesttty", "requiredrsasize", "revokedhostkeys", "rhostsauthentication",
    "rhostsrsaauthentication", "rsaauthentication", "securitykeyprovider", "sendenv", "serveralivecountmax",
    "serveraliveinterval", "sessiontype", "setenv", "skeyauthentication", "smartcarddevice", "stdinnull",
    "streamlocalbindmask", "streamlocalbindunlink", "stricthostkeychecking", "syslogfacility", "tag", "tcpkeepalive",
    "tisauthentication", "tunnel", "tunneldevice", "updatehostkeys", "useprivilegedport", "userknownhostsfile2",
    "useroaming", "usersh", "verifyhostkeydns", "versionaddendum", "visualhostkey", "warnweakcrypto", "xauthlocation",
})  # fmt: skip
"""All others; those that begin with `gssapi` come on top."""
