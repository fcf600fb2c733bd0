using Llava.ModelCore.Native;
using Llava.ModelCore.Native.Cuda;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>
/// A second stream beside a session's. What a step puts into either comes after all that came before the step, and before all that comes after it; within the step neither waits for the other. So memory that
/// one of them has read may be given back when the step is over, whichever it is of.
/// </summary>
internal sealed class SideStream : IDisposable
{
    private const nint Played = 2;

    private readonly CudaSession _session;
    private readonly nint _stream;
    private readonly CudaEvent _begun;
    private readonly CudaEvent _ended;

    /// <param name="session">The device; it leaves the default stream for this.</param>
    /// <exception cref="TorchLibraryException">This libtorch gives no streams.</exception>
    public SideStream(CudaSession session)
    {
        session.LeaveDefaultStream();
        _session = session;
        // Where the processor plays the device, any number is a stream.
        _stream = session.IsCuda ? DeviceStreams.Take(session.Device.index) : Played;
        (_begun, _ended) = (new CudaEvent(session.Driver), new CudaEvent(session.Driver));
    }

    /// <summary>Begins a step: what the session's stream has got so far comes first.</summary>
    public void Begin()
    {
        _begun.Record(_session.Kernels.Stream);
        _begun.HoldBack(_stream);
    }

    /// <summary>Has all work of the calling thread go here.</summary>
    public void Enter() => _session.Enter(_stream);

    /// <summary>Ends a step, whatever became of it: the session's stream, which gets all further work, waits for this one.</summary>
    public void End()
    {
        _ended.Record(_stream);
        _session.Enter();
        _ended.HoldBack(_session.Kernels.Stream);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _begun.Dispose();
        _ended.Dispose();
        if (_session.IsCuda)
        {
            DeviceStreams.Return(_session.Device.index, _stream);
        }
    }
}
