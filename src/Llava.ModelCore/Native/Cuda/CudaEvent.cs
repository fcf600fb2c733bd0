namespace Llava.ModelCore.Native.Cuda;

/// <summary>A mark in a stream, to wait for and to measure from.</summary>
internal sealed unsafe class CudaEvent : IDisposable
{
    private const int NotReady = 600;

    private readonly CudaDriver _driver;
    private readonly nint _event;

    /// <param name="driver">The driver; a device is the thread's.</param>
    public CudaEvent(CudaDriver driver)
    {
        _driver = driver;
        nint made;
        driver.Check(driver.Functions.EventCreate(&made, 0), "make an event");
        _event = made;
    }

    /// <summary>Whether everything before the mark is done.</summary>
    /// <exception cref="CudaException">Something before it has failed.</exception>
    public bool IsReached
    {
        get
        {
            var result = _driver.Functions.EventQuery(_event);
            if (result == NotReady)
            {
                return false;
            }

            _driver.Check(result, "ask for an event");
            return true;
        }
    }

    /// <summary>Sets the mark behind everything that is in the stream now.</summary>
    public void Record(nint stream) => _driver.Check(_driver.Functions.EventRecord(_event, stream), "record an event");

    /// <summary>Has a stream wait for the mark, and nobody else: what is put into the stream from now on comes after it.</summary>
    public void HoldBack(nint stream) => _driver.Check(_driver.Functions.StreamWaitEvent(stream, _event, 0), "have a stream wait for an event");

    /// <summary>Waits until the mark is reached.</summary>
    /// <exception cref="CudaException">Something before it has failed.</exception>
    public void Wait() => _driver.Check(_driver.Functions.EventSynchronize(_event), "wait for an event");

    /// <summary>The device's own time from an earlier mark to this one; both are reached.</summary>
    public TimeSpan Since(CudaEvent start)
    {
        float milliseconds;
        _driver.Check(_driver.Functions.EventElapsedTime(&milliseconds, start._event, _event), "measure the time between events");
        return TimeSpan.FromMilliseconds(milliseconds);
    }

    /// <inheritdoc/>
    public void Dispose() => _driver.Check(_driver.Functions.EventDestroy(_event), "give an event back");
}
