using TorchSharp;

namespace Llava.ModelCore.Native;

/// <summary>How many threads libtorch computes one operation with, for work that starts on the calling thread.</summary>
public static class TorchThreads
{
    /// <summary>Leaves this process its part of the threads where several processes compute side by side; at least one.</summary>
    public static void ShareOut(int processes)
    {
        TorchLibrary.EnsureLoaded();
        torch.set_num_threads(Math.Max(1, torch.get_num_threads() / processes));
    }

    /// <summary>The same until the answer is disposed, for a process that does other things too.</summary>
    public static IDisposable ShareOutFor(int processes)
    {
        TorchLibrary.EnsureLoaded();
        Restored restored = new(torch.get_num_threads());
        ShareOut(processes);
        return restored;
    }

    /// <summary>Computes with so many.</summary>
    public static void Use(int threads)
    {
        TorchLibrary.EnsureLoaded();
        torch.set_num_threads(threads);
    }

    private sealed class Restored(int threads) : IDisposable
    {
        public void Dispose() => Use(threads);
    }
}
