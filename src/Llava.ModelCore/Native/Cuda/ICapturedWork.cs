namespace Llava.ModelCore.Native.Cuda;

/// <summary>Work of a device that was recorded once and is put into a stream as a whole.</summary>
internal interface ICapturedWork : IDisposable
{
    /// <summary>Does it once more, at the addresses that it was recorded with.</summary>
    /// <param name="stream">A <c>CUstream</c> of the thread's device.</param>
    void Launch(nint stream);
}
