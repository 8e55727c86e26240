# Process 1 of the container: owns the socket, runs the workers, replaces them.
#
# It listens before anything else happens, so that a call or a probe that arrives
# while Node.js starts or a new worker takes over waits in the socket's queue.
#
# - The first worker loads the function alone; the others follow when it could.
# - A worker says on its status socket: + ready, K about to kill itself for a
#   handler that can't be ended, C no longer accepting.
# - A worker that ends before it was ready ends this process with its exit code.
# - A worker that dies later is replaced while the others serve; more than MAX_DEATHS
#   such deaths within DEATH_WINDOW seconds end this process with exit code 1.
# - SIGTERM and SIGINT are passed on; the workers drain and exit.
# - Whatever a handler started dies with its worker; orphans are reaped.
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
    MAX_WORKERS  => 64,
    DRAINING     => 0,    # places in the board's head
    ACTIVE       => 1,
    F_SETFD      => 2,    # Linux's numbers: the modules that name them take 3 MiB
    F_SETFL      => 4,
    O_NONBLOCK   => 04000,
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
my $workers = count_of_workers();
my (%running, @deaths);    # workers by process id
my $stopping  = '';
my $exit_code = 0;
my $board = shared_file();

pipe(my $wake_read, my $wake_write) or die "kubeless: pipe: $!\n";
fcntl $wake_write, F_SETFL, O_NONBLOCK or die "kubeless: fcntl: $!\n";
$SIG{CHLD} = sub { syswrite $wake_write, 'c' };
$SIG{TERM} = $SIG{INT} = sub { $stopping ||= shift; syswrite $wake_write, 's' };

start();
while (%running) {
    my $want = '';
    vec($want, fileno $wake_read, 1) = 1;
    vec($want, fileno $_->{status}, 1) = 1 for grep { $_->{status} } values %running;
    my $found = select(my $got = $want, undef, undef, undef);
    next if $found < 0;
    hear($_) for grep { $_->{status} && vec($got, fileno $_->{status}, 1) } values %running;
    next unless vec($got, fileno $wake_read, 1);
    sysread $wake_read, my $why, 64;
    stop_workers() if $why =~ /s/;
    reap();
}
exit $exit_code;

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

# How many workers there shall be: as many as KUBELESS_WORKERS says or the limit has whole
# CPUs, at most as many as calls may run. A wrong value is for a worker to refuse.
sub count_of_workers {
    my $count = $ENV{KUBELESS_WORKERS} // '';
    return 1 if $count !~ /^[0-9]*$/ || length $count > 2 || ($count || 0) > MAX_WORKERS;
    $count = cpus() unless $count && $count > 0;
    my $limit = $ENV{FUNC_CONCURRENCY} // '';
    $count = $limit if $limit =~ /^[0-9]{1,7}$/ && $limit > 0 && $limit < $count;
    return $count + 0;
}

# Whole CPUs of the container's limit; 1 without a limit, below one CPU, or if unreadable.
sub cpus {
    my $folder = '/sys/fs/cgroup';
    my $limit = text("$folder/cpu.max")    # cgroup v2, else v1
        || text("$folder/cpu/cpu.cfs_quota_us") . text("$folder/cpu/cpu.cfs_period_us");
    my ($quota, $period) = $limit =~ /^([0-9]+)\s([1-9][0-9]*)$/ or return 1;
    my $whole = int($quota / $period);
    # A bit for each processor that may be used.
    my ($mask) = text('/proc/self/status') =~ /^Cpus_allowed:\s+([0-9a-f,]+)/m;
    my $usable = unpack '%32b*', pack 'H*', ($mask // '') =~ tr/,//dr =~ s/^(?=(?:..)*.$)/0/r;
    my ($least) = sort { $a <=> $b } grep { $_ > 0 } $whole, $usable, MAX_WORKERS;
    return $whole < 1 ? 1 : $least;
}

# What stands in a file; nothing when it can't be read.
sub text {
    open my $file, '<', shift or return '';
    local $/;
    return <$file> // '';
}

# The board (server/board.js): a file without a name, in memory where that can be.
sub shared_file {
    for my $folder ('/dev/shm', $ENV{TMPDIR} || '/tmp') {
        local $ENV{TMPDIR} = $folder;
        open my $file, '+>', undef or next;
        return $file;
    }
    print STDERR "kubeless: can't make shared memory: neither /dev/shm nor /tmp can be written: $!\n";
    exit 1;
}

# Write a number into the board's head.
sub note {
    my ($place, $value) = @_;
    sysseek $board, 4 * $place, 0;
    syswrite $board, pack 'l', $value;
}

# Run a worker with the socket and a status socket of its own.
sub start {
    my %taken = map { $_->{index} => 1 } values %running;
    my ($index) = grep { !$taken{$_} } 0 .. $workers - 1;
    socketpair my $status, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC
        or die "kubeless: socketpair: $!\n";
    my $pid = fork // die "kubeless: fork: $!\n";
    if ($pid) {
        $running{$pid} =
            { pid => $pid, index => $index, status => $status, ready => 0, replaced => 0 };
        return;
    }
    setpgrp 0, 0;
    $SIG{$_} = 'DEFAULT' for qw(CHLD TERM INT);
    for my $passed (grep { defined } $listener, $theirs, $board) {
        fcntl $passed, F_SETFD, 0 or die "kubeless: fcntl: $!\n";
    }
    $ENV{KUBELESS_BOARD} = fileno $board;
    $ENV{KUBELESS_LISTENER} = $listener ? fileno $listener : '';
    $ENV{KUBELESS_STATUS} = fileno $theirs;
    $ENV{KUBELESS_LISTEN_ERROR} = $refused;
    $ENV{KUBELESS_WORKER} = $index;
    $ENV{KUBELESS_WORKER_COUNT} = $workers;
    exec @NODE, "$folder/server/start.js" or do {
        print STDERR "kubeless: can't run node: $!\n";
        exit 1;
    };
}

sub hear {
    my $worker = shift;
    my $said;
    if (!sysread $worker->{status}, $said, 64) {
        undef $worker->{status};    # its end follows
        return;
    }
    $worker->{replaced} = 1 if $said =~ /K/;
    undef $listener if $said =~ /C/;    # or connections would wait for nobody
    if ($said =~ /\+/) {
        $worker->{ready} = 1;
        start() while !$stopping && keys %running < $workers;
    }
}

sub stop_workers {
    note(DRAINING, 1);
    for my $worker (values %running) {
        my $pid = $worker->{pid};
        if ($worker->{ready}) {
            kill 'TERM', $pid;
        }
        else {
            kill 'KILL', -$pid, $pid;    # it still loads, and has nothing to finish
        }
    }
}

sub reap {
    while ((my $pid = waitpid -1, WNOHANG) > 0) {
        ended($running{$pid}, $?) if $running{$pid};
    }
}

sub ended {
    my ($worker, $code) = @_;
    kill 'KILL', -$worker->{pid};
    hear($worker) while $worker->{status};    # its last words
    delete $running{ $worker->{pid} };
    note(ACTIVE + $worker->{index}, 0);
    my $signal = $code & 127;
    my $how = $signal ? $SIGNALS{$signal} // "signal $signal" : 'exit code ' . ($code >> 8);
    if ($stopping) {
        $exit_code ||= $code >> 8 if $worker->{ready} && !$signal;
        return;
    }
    if (!$worker->{ready}) {
        print STDERR "kubeless: the function's process was ended by $how while it was loaded\n"
            if $signal;
        give_up($code >> 8 || 1);
        return;
    }
    if (!$worker->{replaced}) {
        my $now = time;
        @deaths = ((grep { $now - $_ < DEATH_WINDOW } @deaths), $now);
        print STDERR "kubeless: the server process ended unexpectedly ($how); its requests failed\n";
        if (@deaths > MAX_DEATHS) {
            printf STDERR "kubeless: %d in %d s: giving up\n", scalar @deaths, DEATH_WINDOW;
            give_up(1);
            return;
        }
    }
    start();
}

# End everything with this exit code.
sub give_up {
    $exit_code = shift;
    kill 'KILL', -$_, $_ for keys %running;
    exit $exit_code;
}
