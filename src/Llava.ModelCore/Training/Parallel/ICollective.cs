using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Parallel;

/// <summary>
/// What the processes of a run do together. Every rank calls the same operations in the same order, with tensors of the same size; each blocks until it is done.
/// Tensors are contiguous. Sums are over float32.
/// </summary>
public interface ICollective : IDisposable
{
    /// <summary>Which of the processes this is, from 0.</summary>
    int Rank { get; }

    /// <summary>Processes in all.</summary>
    int Size { get; }

    /// <summary>Replaces the values by their sum over all ranks.</summary>
    /// <exception cref="RankLostException">A rank is gone, or silent for too long.</exception>
    void AllReduce(Tensor values);

    /// <summary>Adds to <paramref name="own"/> the sum over all ranks of this rank's part of <paramref name="values"/>.</summary>
    /// <param name="values">As many parts as there are ranks, one behind the other.</param>
    /// <param name="own">As large as a part.</param>
    /// <exception cref="RankLostException">A rank is gone, or silent for too long.</exception>
    void ReduceScatter(Tensor values, Tensor own);

    /// <summary>Sets <paramref name="values"/> to the parts of all ranks, one behind the other.</summary>
    /// <param name="own">This rank's part; it may be a view of its place in <paramref name="values"/>.</param>
    /// <param name="values">Of the same type, as many times as large as there are ranks.</param>
    /// <exception cref="RankLostException">A rank is gone, or silent for too long.</exception>
    void AllGather(Tensor own, Tensor values);

    /// <summary>Sets the values to those of one rank.</summary>
    /// <exception cref="RankLostException">A rank is gone, or silent for too long.</exception>
    void Broadcast(Tensor values, int root);

    /// <summary>Waits until every rank is here.</summary>
    /// <exception cref="RankLostException">A rank is gone, or silent for too long.</exception>
    void Barrier();
}
