# plstui fetches a page from some addresses, and changes nothing in this machine. Its output is described in probe.sh.
$attempt = {
    param([string]$address, [int]$port, [double]$connect, [double]$total)
    function Micros { [long]($clock.ElapsedTicks * 1000000 / [Diagnostics.Stopwatch]::Frequency) }
    try { $found = @([Net.Dns]::GetHostAddresses($address)) } catch { return 'd' }
    if ($found.Count -eq 0) { return 'd' }
    $ip = $found | Where-Object { $_.AddressFamily -eq 'InterNetwork' } | Select-Object -First 1
    if (-not $ip) { $ip = $found[0] }
    $client = New-Object Net.Sockets.TcpClient($ip.AddressFamily)
    $c = 0
    $f = 0
    try {
        $clock = [Diagnostics.Stopwatch]::StartNew()
        if (-not $client.ConnectAsync($ip, $port).Wait([int]($connect * 1000))) { return 't,0,0' }
        $c = Micros
        $shown = if ($address.Contains(':')) { "[$address]" } else { $address }
        $request = "GET / HTTP/1.1`r`nHost: ${shown}:$port`r`nUser-Agent: plstui`r`nConnection: close`r`n`r`n"
        $bytes = [Text.Encoding]::ASCII.GetBytes($request)
        $stream = $client.GetStream()
        $stream.Write($bytes, 0, $bytes.Length)
        $buffer = New-Object byte[] 16384
        $data = New-Object IO.MemoryStream
        while ($true) {
            $left = [int]($total * 1000 - $clock.ElapsedMilliseconds)
            if ($left -le 0) { return "t,$c,$f" }
            $stream.ReadTimeout = $left
            $count = $stream.Read($buffer, 0, $buffer.Length)
            if ($count -eq 0) { break }
            if ($f -eq 0) { $f = Micros }
            $data.Write($buffer, 0, $count)
            if ($data.Length -gt 65536) { return 'b' }
        }
    } catch {
        $trouble = $_.Exception.GetBaseException()
        $code = if ($trouble -is [Net.Sockets.SocketException]) { [string]$trouble.SocketErrorCode } else { 'Other' }
        if ($code -eq 'TimedOut') { return "t,$c,$f" }
        if ($c) { return "z,$c,$f" }
        if ($code -eq 'ConnectionRefused') { return 'r' }
        if ($code -eq 'HostUnreachable' -or $code -eq 'NetworkUnreachable') { return 'u' }
        return "e$code"
    } finally {
        $client.Close()
    }
    $bytes = $data.ToArray()
    $when = ",$c,$f"
    if ($bytes.Length -eq 0) { return "z$when" }
    if ($bytes.Length -gt 1 -and $bytes[0] -in 20, 21, 22 -and $bytes[1] -eq 3) { return "l$when" }
    $text = [Text.Encoding]::GetEncoding(28591).GetString($bytes)
    if (-not ($text -match '^HTTP/1\.[01] (\d{3})')) { return "n$when" }
    $status = $Matches[1]
    $gap = $text.IndexOf("`r`n`r`n")
    if ($gap -lt 0) { return "z$when" }
    $head = $text.Substring(0, $gap)
    $body = $text.Substring($gap + 4)
    if ($head -match '(?i)\ncontent-length: *(\d+)' -and $body.Length -lt [long]$Matches[1]) { return "z$when" }
    if ($status -eq '400' -and $body -match 'HTTPS port|HTTPS server|SSL-enabled') { return "l$when" }
    if ($status -ne '200') { return "s$when,$status" }
    if ($head -match '(?i)\ntransfer-encoding: *chunked') {
        $content = ''
        while ($body -match '^([0-9A-Fa-f]{1,7})[^\n]*\n') {
            $size = [Convert]::ToInt32($Matches[1], 16)
            $body = $body.Substring($Matches[0].Length)
            if ($size -eq 0) { break }
            $content += $body.Substring(0, [Math]::Min($size, $body.Length))
            $body = $body.Substring([Math]::Min($size + 2, $body.Length))
        }
        $body = $content
    }
    $body = $body.Substring(0, [Math]::Min(70, $body.Length)).Replace("`n", '|') -replace '[^A-Za-z0-9 ._:|-]', '?'
    if ($body -cmatch '^Host: ([A-Za-z0-9._-]+)\|*$') { return "k$when,$($Matches[1])" }
    return "p$when," + $body.Substring(0, [Math]::Min(40, $body.Length))
}
$pool = [RunspaceFactory]::CreateRunspacePool(1, 64)
$pool.Open()
$asked = foreach ($target in $targets.Split(' ')) {
    $number, $address, $port = $target.Split(',')
    foreach ($turn in 1..$count) {
        $shell = [PowerShell]::Create()
        $shell.RunspacePool = $pool
        [void]$shell.AddScript($attempt).AddArgument($address).AddArgument([int]$port)
        [void]$shell.AddArgument($connect).AddArgument($total)
        New-Object PSObject -Property @{ Number = $number; Shell = $shell; Handle = $shell.BeginInvoke() }
    }
}
foreach ($target in $targets.Split(' ')) {
    $number, $address, $port = $target.Split(',')
    $told = ''
    foreach ($one in $asked) {
        if ($one.Number -ne $number) { continue }
        $outcome = [string]($one.Shell.EndInvoke($one.Handle) | Select-Object -Last 1)
        if ($told.Length -lt $room) { $told += "$outcome;" }
        $one.Shell.Dispose()
    }
    $resolved = ''
    try { $resolved = [string]([Net.Dns]::GetHostAddresses($address)[0]) } catch { $resolved = '' }
    Write-Output "{`"n`":`"$nonce`",`"t`":$number,`"q`":`"$resolved`",`"a`":`"$told`"}"
}
$pool.Close()
Write-Output "{`"n`":`"$nonce`",`"end`":1}"
