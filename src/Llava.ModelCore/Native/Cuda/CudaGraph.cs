namespace Llava.ModelCore.Native.Cuda;

/// <summary>A CUDA graph: the launches of a piece of work, recorded from the stream that they went into.</summary>
internal sealed unsafe class CudaGraph : ICapturedWork
{
    // Other threads, which may allocate meanwhile, are none of the recording's business.
    private const int ThreadLocal = 1;

    private readonly CudaDriver _driver;
    private readonly nint _executable;

    private CudaGraph(CudaDriver driver, nint executable) => (_driver, _executable) = (driver, executable);

    /// <summary>Records work, which is not done by that.</summary>
    /// <param name="driver">The driver; a device is the thread's.</param>
    /// <param name="stream">The stream that it goes into, all of it: not the default one, of which nothing can be recorded.</param>
    /// <param name="work">Only launches and copies; it neither waits for the device nor allocates there.</param>
    /// <exception cref="CudaException">The driver cannot record it. The stream is as it was before.</exception>
    public static CudaGraph Capture(CudaDriver driver, nint stream, Action work)
    {
        nint graph = 0, executable;
        driver.Check(driver.Functions.StreamBeginCapture(stream, ThreadLocal), "begin to record a graph");
        try
        {
            work();
        }
        catch
        {
            // Whatever the end says: a stream that goes on recording would be of no use to anybody.
            _ = driver.Functions.StreamEndCapture(stream, &graph);
            if (graph != 0)
            {
                _ = driver.Functions.GraphDestroy(graph);
            }

            throw;
        }

        driver.Check(driver.Functions.StreamEndCapture(stream, &graph), "record a graph");
        try
        {
            driver.Check(driver.Functions.GraphInstantiate(&executable, graph, 0), "make a graph ready");
        }
        finally
        {
            _ = driver.Functions.GraphDestroy(graph);
        }

        return new CudaGraph(driver, executable);
    }

    /// <inheritdoc/>
    public void Launch(nint stream) => _driver.Check(_driver.Functions.GraphLaunch(_executable, stream), "launch a graph");

    /// <inheritdoc/>
    public void Dispose() => _driver.Check(_driver.Functions.GraphExecutionDestroy(_executable), "give a graph back");
}
