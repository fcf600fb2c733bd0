namespace Llava.ModelCore.Native.Cuda;

/// <summary>How many blocks of how many threads a kernel runs in.</summary>
/// <param name="X">Blocks.</param>
/// <param name="Threads">Threads of a block: a multiple of 32, at most 1024.</param>
/// <param name="Y">Blocks of the second dimension, at most 65535.</param>
/// <param name="Z">Blocks of the third dimension, at most 65535.</param>
internal readonly record struct LaunchShape(int X, int Threads, int Y = 1, int Z = 1)
{
    /// <summary>Whether there is nothing to do: the driver refuses such a launch.</summary>
    public bool IsEmpty => X == 0 || Y == 0 || Z == 0;
}
