using System.Net;
using System.Net.Sockets;

namespace Llava.Testing;

/// <summary>
/// Stands between a client and PostgreSQL and, once armed, lets the next COMMIT through and the answer to it not: the
/// connection breaks at the one moment where the client cannot know whether its transaction was committed.
/// </summary>
public sealed class CommitCutter : IAsyncDisposable
{
    // A simple query: 'Q', length 11, "COMMIT", NUL.
    private static readonly byte[] Commit = [(byte)'Q', 0, 0, 0, 11, .. "COMMIT\0"u8];

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ended = new();
    private readonly int _server;
    private readonly Task _accepting;
    private int _armed;
    private int _cut;

    /// <param name="server">Port of the server.</param>
    public CommitCutter(int server)
    {
        _server = server;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Port to connect to instead of the server's.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Commits whose answer was kept back.</summary>
    public int Cut => _cut;

    /// <summary>Keeps back the answer to the next COMMIT, once.</summary>
    public void Arm() => _armed = 1;

    /// <summary>Ends all connections.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        _listener.Dispose();
        await _accepting.ContinueWith(_ => { }, TaskScheduler.Default);
        _ended.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var client = await _listener.AcceptTcpClientAsync(_ended.Token);
            _ = RelayAsync(client);
        }
    }

    private async Task RelayAsync(TcpClient client)
    {
        using TcpClient server = new() { NoDelay = true };
        using (client)
        {
            await server.ConnectAsync(IPAddress.Loopback, _server, _ended.Token);
            client.NoDelay = true;
            var (there, back) = (server.GetStream(), client.GetStream());
            var isCut = false;
            await Task.WhenAny(ForwardAsync(back, there, sent => isCut |= IsCommit(sent)), ForwardAsync(there, back, _ => { }, () => !isCut));
        }
    }

    private bool IsCommit(ReadOnlySpan<byte> sent)
    {
        if (sent.IndexOf(Commit) < 0 || Interlocked.Exchange(ref _armed, 0) == 0)
        {
            return false;
        }

        Interlocked.Increment(ref _cut);
        return true;
    }

    /// <summary>Passes on what comes until either side ends, or what came may not go on.</summary>
    private async Task ForwardAsync(NetworkStream from, NetworkStream to, Seen see, Func<bool>? mayPass = null)
    {
        var buffer = new byte[64 << 10];
        while (await from.ReadAsync(buffer, _ended.Token) is > 0 and var count)
        {
            see(buffer.AsSpan(0, count));
            if (mayPass?.Invoke() == false)
            {
                return;
            }

            await to.WriteAsync(buffer.AsMemory(0, count), _ended.Token);
        }
    }

    private delegate void Seen(ReadOnlySpan<byte> bytes);
}
