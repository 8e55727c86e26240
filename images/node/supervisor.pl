# Process 1 of the container: owns the socket, runs the server, replaces it.
#
# It listens before anything else happens, so that a call or a probe that arrives
# while Node.js starts or a new server takes over waits in the socket's queue.
#
# - The server says on its status socket: + ready, K about to kill itself for a
#   handler that can't be ended, C no longer accepting.
# - A server that ends before it was ready ends this process with its exit code.
# - A server that dies later is replaced; more than MAX_DEATHS such deaths within
#   DEATH_WINDOW seconds end this process with exit code 1.
# - SIGTERM and SIGINT are passed on; the server drains and exits.
# - Whatever a handler started dies with its server; orphans are reaped.
#
# Perl, because Node.js can neither hold a socket without accepting from it nor
# reap orphans, and Perl is part of every Debian: 5 ms and 3 MiB instead of 40.
use strict;
use warnings;
use Socket qw(:DEFAULT IPPROTO_IPV6 IPV6_V6ONLY);

use constant {
    BACKLOG      => 1024,
    MAX_DEATHS   => 5,
    DEATH_WINDOW => 30,
    F_SETFD      => 2,    # Linux's numbers: the modules that name them take 3 MiB
    WNOHANG      => 1,
};

my @NODE = (
    'node',
    # A handler that is ended leaves Node.js' record of asynchronous frames behind;
    # it is set right again, and must not be taken for a fault of Node.js.
    '--no-force-async-hooks-checks',
    # A function may be an ES module without saying so in a package.json.
    '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON',
);
my %SIGNALS = (
    4 => 'SIGILL', 6 => 'SIGABRT', 7 => 'SIGBUS', 8 => 'SIGFPE', 9 => 'SIGKILL', 11 => 'SIGSEGV',
    15 => 'SIGTERM',
);
my ($folder) = $0 =~ m{^(.*)/} ? $1 : '.';

my ($listener, $refused) = listen_on($ENV{FUNC_PORT});
my ($server, $status, $ready, $replaced, @deaths);
my $stopping = '';

# The server's metrics, which its successor goes on with: a file without a name.
my $counters;
open $counters, '+>', undef or undef $counters;

pipe(my $wake_read, my $wake_write) or die "kubeless: pipe: $!\n";
my $blocking = $wake_write->blocking(0);
$SIG{CHLD} = sub { syswrite $wake_write, 'c' };
$SIG{TERM} = $SIG{INT} = sub { $stopping ||= shift; syswrite $wake_write, 's' };

start();
while (1) {
    my $want = '';
    vec($want, fileno $wake_read, 1) = 1;
    vec($want, fileno $status,    1) = 1 if $status;
    my $found = select(my $got = $want, undef, undef, undef);
    next if $found < 0;
    hear() if $status && vec($got, fileno $status, 1);
    next unless vec($got, fileno $wake_read, 1);
    sysread $wake_read, my $why, 64;
    stop_server() if $why =~ /s/;
    reap();
}

# A socket that listens on every address, or undef and why not. What is no port
# is for the server's configuration to refuse, in its own words.
sub listen_on {
    my $port = shift;
    $port = 8080 unless defined $port && length $port;
    return (undef, '') unless $port =~ /^[0-9]{1,5}$/ && $port > 0 && $port < 65536;
    my ($socket, $dual);
    if (socket $socket, AF_INET6, SOCK_STREAM, 0) {
        $dual = setsockopt $socket, IPPROTO_IPV6, IPV6_V6ONLY, 0;
    }
    $dual or socket($socket, AF_INET, SOCK_STREAM, 0) or return (undef, "$!");
    setsockopt $socket, SOL_SOCKET, SO_REUSEADDR, 1;
    my $address =
        $dual ? pack_sockaddr_in6($port, Socket::IN6ADDR_ANY) : pack_sockaddr_in($port, INADDR_ANY);
    if (!bind $socket, $address) {
        return (undef, "$!") unless $dual && $!{EADDRNOTAVAIL};    # IPv6 is switched off
        socket $socket, AF_INET, SOCK_STREAM, 0 or return (undef, "$!");
        setsockopt $socket, SOL_SOCKET, SO_REUSEADDR, 1;
        bind $socket, pack_sockaddr_in($port, INADDR_ANY) or return (undef, "$!");
    }
    listen $socket, BACKLOG or return (undef, "$!");
    return ($socket, '');
}

# Run a server with the socket and a status socket of its own.
sub start {
    socketpair $status, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC
        or die "kubeless: socketpair: $!\n";
    ($ready, $replaced) = (0, 0);
    $server = fork // die "kubeless: fork: $!\n";
    return if $server;
    setpgrp 0, 0;
    $SIG{$_} = 'DEFAULT' for qw(CHLD TERM INT);
    for my $passed (grep { defined } $listener, $theirs, $counters) {
        fcntl $passed, F_SETFD, 0 or die "kubeless: fcntl: $!\n";
    }
    $ENV{KUBELESS_COUNTERS} = $counters ? fileno $counters : '';
    $ENV{KUBELESS_LISTENER} = $listener ? fileno $listener : '';
    $ENV{KUBELESS_STATUS} = fileno $theirs;
    $ENV{KUBELESS_LISTEN_ERROR} = $refused;
    exec @NODE, "$folder/server/main.js" or do {
        print STDERR "kubeless: can't run node: $!\n";
        exit 1;
    };
}

sub hear {
    if (!sysread $status, my $said, 64) {
        undef $status;    # its end follows
    }
    else {
        $ready    = 1 if $said =~ /\+/;
        $replaced = 1 if $said =~ /K/;
        undef $listener if $said =~ /C/;    # or connections would wait for nobody
    }
}

sub stop_server {
    if ($ready) {
        kill 'TERM', $server;
    }
    else {
        kill 'KILL', -$server, $server;     # it still loads, and has nothing to finish
    }
}

sub reap {
    while ((my $pid = waitpid -1, WNOHANG) > 0) {
        ended($?) if $pid == $server;
    }
}

sub ended {
    my $code = shift;
    kill 'KILL', -$server;
    hear() while $status;                   # its last words
    my $signal = $code & 127;
    my $how = $signal ? $SIGNALS{$signal} // "signal $signal" : 'exit code ' . ($code >> 8);
    if ($stopping) {
        exit($ready && !$signal ? $code >> 8 : 0);
    }
    if (!$ready) {
        print STDERR "kubeless: the function's process was ended by $how while it was loaded\n"
            if $signal;
        exit($code >> 8 || 1);
    }
    if (!$replaced) {
        my $now = time;
        @deaths = ((grep { $now - $_ < DEATH_WINDOW } @deaths), $now);
        print STDERR "kubeless: the server process ended unexpectedly ($how); its requests failed\n";
        if (@deaths > MAX_DEATHS) {
            printf STDERR "kubeless: %d in %d s: giving up\n", scalar @deaths, DEATH_WINDOW;
            exit 1;
        }
    }
    start();
}
