using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Llava.ModelCore.Training.Parallel;

/// <summary>
/// Processes of one machine that become the ranks of a run. Rank 0 listens on the loopback interface and invites the others; they greet it, learn where the rest
/// listens, and greet those. Whoever does not know the run's token is turned away.
/// </summary>
public sealed class TcpGroup : IDisposable
{
    private static readonly TimeSpan GreetingTime = TimeSpan.FromSeconds(5);

    private readonly int _size;
    private readonly TimeSpan _deadline;
    private readonly byte[] _token = Greeting.NewToken();
    private readonly Socket _listener = Listen();

    /// <summary>Opens a group as its rank 0.</summary>
    /// <param name="size">Processes, this one included.</param>
    /// <param name="deadline">How long a rank waits for another, while they meet and later; longer than saving a checkpoint takes.</param>
    public TcpGroup(int size, TimeSpan deadline) => (_size, _deadline) = (size, deadline);

    /// <summary>What a process has to know to become a rank. It holds the run's token: hand it on where nobody else reads it.</summary>
    public GroupInvitation InvitationFor(int rank) => new(rank, _size, PortOf(_listener), Convert.ToHexString(_token), _deadline.TotalSeconds);

    /// <summary>Waits for all ranks.</summary>
    /// <exception cref="TrainingException">Some did not come in time; the message says which.</exception>
    public async Task<ICollective> MeetAsync(CancellationToken cancellationToken = default)
    {
        var (peers, ports) = (new Socket?[_size], new int[_size]);
        await AcceptAsync(_listener, peers, ports, from: 1, _token, _deadline, cancellationToken);
        var table = MemoryMarshal.AsBytes<int>(ports).ToArray();
        foreach (var peer in peers.OfType<Socket>())
        {
            await peer.SendAsync(table, cancellationToken);
        }

        return new PeerCollective(new TcpLink(0, peers, _deadline));
    }

    /// <summary>Becomes a rank of a group that another process opened.</summary>
    /// <exception cref="TrainingException">The group is not there, turns this process away, or does not come together.</exception>
    public static async Task<ICollective> JoinAsync(GroupInvitation invitation, CancellationToken cancellationToken = default)
    {
        var (rank, size, deadline, token) = (invitation.Rank, invitation.Size, TimeSpan.FromSeconds(invitation.DeadlineSeconds), Convert.FromHexString(invitation.Token));
        using var listener = Listen();
        Greeting greeting = new(rank, size, PortOf(listener), token);
        var peers = new Socket?[size];
        try
        {
            peers[0] = await GreetAsync(invitation.Port, greeting, 0, cancellationToken);
            var table = new byte[size * sizeof(int)];
            await new TcpLink(rank, peers, deadline).ReceiveAsync(0, table);
            var ports = MemoryMarshal.Cast<byte, int>(table).ToArray();
            for (var peer = 1; peer < rank; peer++)
            {
                peers[peer] = await GreetAsync(ports[peer], greeting, peer, cancellationToken);
            }

            await AcceptAsync(listener, peers, new int[size], from: rank + 1, token, deadline, cancellationToken);
            return new PeerCollective(new TcpLink(rank, peers, deadline));
        }
        catch
        {
            foreach (var peer in peers)
            {
                peer?.Dispose();
            }

            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    private static Socket Listen()
    {
        Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        return listener;
    }

    private static int PortOf(Socket listener) => ((IPEndPoint)listener.LocalEndPoint!).Port;

    private static async Task<Socket> GreetAsync(int port, Greeting greeting, int peer, CancellationToken cancellationToken)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
            await socket.SendAsync(greeting.ToBytes(), cancellationToken);
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new RankLostException(peer, $"is not reached at port {port}", e);
        }
    }

    /// <summary>Accepts the ranks from one on, in any order; strangers are turned away and do not disturb.</summary>
    private static async Task AcceptAsync(Socket listener, Socket?[] peers, int[] ports, int from, byte[] token, TimeSpan deadline, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(deadline);
        try
        {
            while (peers.Skip(from).Any(peer => peer is null))
            {
                var socket = await listener.AcceptAsync(limit.Token);
                socket.NoDelay = true;
                if (await HeardAsync(socket, peers.Length, token, limit.Token) is { } greeting && greeting.Rank >= from && greeting.Rank < peers.Length && peers[greeting.Rank] is null)
                {
                    (peers[greeting.Rank], ports[greeting.Rank]) = (socket, greeting.Port);
                }
                else
                {
                    socket.Dispose();
                }
            }
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            var missing = Enumerable.Range(from, peers.Length - from).Where(rank => peers[rank] is null);
            throw new TrainingException($"Of the {peers.Length} processes of the training run, {string.Join(", ", missing)} did not come within {deadline.TotalSeconds:0.#} seconds.", e);
        }
    }

    private static async Task<Greeting?> HeardAsync(Socket socket, int size, byte[] token, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(GreetingTime);
        var bytes = new byte[Greeting.Length];
        try
        {
            for (int at = 0, got; at < bytes.Length; at += got)
            {
                got = await socket.ReceiveAsync(bytes.AsMemory(at), limit.Token);
                if (got == 0)
                {
                    return null;
                }
            }

            return Greeting.Read(bytes, size, token);
        }
        catch (Exception e) when (e is SocketException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return null;
        }
    }
}

/// <summary>What a process has to know to become a rank of a group.</summary>
/// <param name="Rank">Which it becomes.</param>
/// <param name="Size">Processes in all.</param>
/// <param name="Port">Where rank 0 listens on the loopback interface.</param>
/// <param name="Token">What only processes of the run know, in hexadecimal.</param>
/// <param name="DeadlineSeconds">How long a rank waits for another.</param>
public sealed record GroupInvitation(int Rank, int Size, int Port, string Token, double DeadlineSeconds);
