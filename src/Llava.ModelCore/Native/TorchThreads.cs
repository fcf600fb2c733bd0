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

    /// <summary>Computes with so many.</summary>
    public static void Use(int threads)
    {
        TorchLibrary.EnsureLoaded();
        torch.set_num_threads(threads);
    }
}
