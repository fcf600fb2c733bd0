namespace Llava.ModelCore.Native.Cuda;

/// <summary>A kernel that can be launched while its module is loaded.</summary>
internal sealed unsafe class CudaKernel(CudaDriver driver, nint function, string name)
{
    private readonly string _action = $"launch the kernel '{name}'";

    /// <summary>Puts the kernel into a stream; nothing is allocated and nothing waits.</summary>
    /// <param name="shape">Blocks and threads; nothing happens when there is no block.</param>
    /// <param name="stream">A <c>CUstream</c> of the thread's device; 0 is the default one.</param>
    /// <param name="arguments">All parameters in order, each of its parameter's type.</param>
    /// <exception cref="CudaException">The driver refuses, or something launched before has failed.</exception>
    public void Launch(LaunchShape shape, nint stream, params ReadOnlySpan<KernelArgument> arguments)
    {
        if (shape.IsEmpty)
        {
            return;
        }

        var pointers = stackalloc void*[arguments.Length];
        fixed (KernelArgument* cells = arguments)
        {
            for (var i = 0; i < arguments.Length; i++)
            {
                pointers[i] = cells + i;
            }

            var result = driver.Functions.LaunchKernel(
                function, (uint)shape.X, (uint)shape.Y, (uint)shape.Z, (uint)shape.Threads, 1, 1, 0, stream, pointers, null);
            driver.Check(result, _action);
        }
    }
}
