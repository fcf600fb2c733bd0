namespace Llava.Benchmarks.LlamaCpp.Peer;

/// <summary>
/// llama.cpp's threads with its own defaults. They wait for the next graph by spinning for a good part of a second, so whoever takes the next turn
/// would have a core less: they rest between turns.
/// </summary>
internal sealed unsafe class LlamaThreads : IDisposable
{
    public LlamaThreads(int count)
    {
        Ggml.ThreadParameters parameters;
        Ggml.DefaultThreads(&parameters, count);
        (Count, Pool) = (count, Ggml.NewThreads(&parameters));
        Ggml.PauseThreads(Pool);
    }

    /// <summary>Threads.</summary>
    public int Count { get; }

    /// <summary>Address of the pool.</summary>
    public nint Pool { get; }

    /// <summary>Lets the threads work for the length of a turn.</summary>
    public void Run(Action turn)
    {
        Ggml.ResumeThreads(Pool);
        try
        {
            turn();
        }
        finally
        {
            Ggml.PauseThreads(Pool);
        }
    }

    public void Dispose() => Ggml.FreeThreads(Pool);
}
