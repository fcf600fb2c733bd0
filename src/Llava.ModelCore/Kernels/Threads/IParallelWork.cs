namespace Llava.ModelCore.Kernels.Threads;

/// <summary>Work that falls into parts, each computed by one thread alone.</summary>
internal interface IParallelWork
{
    /// <summary>Computes one part.</summary>
    /// <param name="part">Which, from 0.</param>
    /// <param name="worker">Who computes it, from 0 to the pool's threads: names scratch memory that nobody else uses meanwhile.</param>
    void Run(int part, int worker);
}
