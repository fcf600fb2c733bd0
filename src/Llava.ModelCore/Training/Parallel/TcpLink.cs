using System.Net.Sockets;

namespace Llava.ModelCore.Training.Parallel;

/// <summary>Ranks that are processes, with a connection between each two.</summary>
/// <param name="rank">Which of them this is.</param>
/// <param name="peers">Connections by rank; null at this one's place.</param>
/// <param name="deadline">How long a rank waits for another.</param>
internal sealed class TcpLink(int rank, IReadOnlyList<Socket?> peers, TimeSpan deadline) : IPeerLink
{
    public int Rank => rank;

    public int Size => peers.Count;

    public Task SendAsync(int peer, ReadOnlyMemory<byte> bytes) => TalkAsync(peer, async limit =>
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await peers[peer]!.SendAsync(bytes, limit)..];
        }
    });

    public Task ReceiveAsync(int peer, Memory<byte> bytes) => TalkAsync(peer, async limit =>
    {
        while (bytes.Length > 0)
        {
            var got = await peers[peer]!.ReceiveAsync(bytes, limit);
            bytes = got > 0 ? bytes[got..] : throw new RankLostException(peer, "has left");
        }
    });

    public void Dispose()
    {
        foreach (var peer in peers)
        {
            peer?.Dispose();
        }
    }

    private async Task TalkAsync(int peer, Func<CancellationToken, Task> talk)
    {
        using var limit = new CancellationTokenSource(deadline);
        try
        {
            await talk(limit.Token);
        }
        catch (OperationCanceledException e)
        {
            throw new RankLostException(peer, $"has not answered for {deadline.TotalSeconds:0.#} seconds", e);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new RankLostException(peer, "has left", e);
        }
    }
}
