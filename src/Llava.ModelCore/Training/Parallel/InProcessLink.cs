using System.Threading.Channels;

namespace Llava.ModelCore.Training.Parallel;

/// <summary>
/// Ranks that are threads of one process, and share torch's threads.
/// </summary>
internal sealed class InProcessLink : IPeerLink
{
    private readonly Channel<byte[]>[][] _channels;
    private readonly ReadOnlyMemory<byte>[] _begun;
    private readonly TimeSpan _deadline;

    private InProcessLink(int rank, Channel<byte[]>[][] channels, TimeSpan deadline) =>
        (Rank, _channels, _begun, _deadline) = (rank, channels, new ReadOnlyMemory<byte>[channels.Length], deadline);

    public int Rank { get; }

    public int Size => _begun.Length;

    /// <summary>Makes the ends of all ranks.</summary>
    /// <param name="size">Ranks.</param>
    /// <param name="deadline">How long a rank waits for another.</param>
    public static IReadOnlyList<InProcessLink> Group(int size, TimeSpan deadline)
    {
        var ranks = Enumerable.Range(0, size);
        Channel<byte[]>[][] channels = [.. ranks.Select(_ => ranks.Select(_ => Channel.CreateUnbounded<byte[]>(new() { SingleReader = true, SingleWriter = true })).ToArray())];
        return [.. ranks.Select(rank => new InProcessLink(rank, channels, deadline))];
    }

    public Task SendAsync(int peer, ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length > 0)
        {
            _channels[Rank][peer].Writer.TryWrite(bytes.ToArray());
        }

        return Task.CompletedTask;
    }

    public async Task ReceiveAsync(int peer, Memory<byte> bytes)
    {
        using var limit = new CancellationTokenSource(_deadline);
        try
        {
            while (bytes.Length > 0)
            {
                if (_begun[peer].IsEmpty)
                {
                    _begun[peer] = await _channels[peer][Rank].Reader.ReadAsync(limit.Token);
                }

                var next = _begun[peer][..Math.Min(bytes.Length, _begun[peer].Length)];
                next.CopyTo(bytes);
                (bytes, _begun[peer]) = (bytes[next.Length..], _begun[peer][next.Length..]);
            }
        }
        catch (ChannelClosedException e)
        {
            throw new RankLostException(peer, "has left", e);
        }
        catch (OperationCanceledException e)
        {
            throw new RankLostException(peer, $"has not answered for {_deadline.TotalSeconds:0.#} seconds", e);
        }
    }

    public void Dispose()
    {
        for (var peer = 0; peer < Size; peer++)
        {
            _channels[Rank][peer].Writer.TryComplete();
        }
    }
}
