namespace Llava.ModelCore.Training.Parallel;

/// <summary>Bytes from each rank to each other rank, in order.</summary>
internal interface IPeerLink : IDisposable
{
    /// <summary>Which of the processes this is, from 0.</summary>
    int Rank { get; }

    /// <summary>Processes in all.</summary>
    int Size { get; }

    /// <summary>Sends all bytes; they may be overwritten once the task is done. One at a time to each peer.</summary>
    /// <exception cref="RankLostException">The peer is gone, or takes nothing for too long.</exception>
    Task SendAsync(int peer, ReadOnlyMemory<byte> bytes);

    /// <summary>Fills the memory with what the peer sent next.</summary>
    /// <exception cref="RankLostException">The peer is gone, or sends nothing for too long.</exception>
    Task ReceiveAsync(int peer, Memory<byte> bytes);
}
