namespace Llava.Dashboard.Live;

/// <summary>
/// A part of a page that changes while it is looked at. Register one with <c>AddSingleton&lt;LiveSource, …&gt;</c>, and give an element
/// <c>data-live="name"</c> or <c>data-live="name:argument"</c> whose content is the same HTML. It holds nothing that depends on the reader
/// but the tenant: all readers of a key see the same.
/// </summary>
internal abstract class LiveSource
{
    /// <summary>Its name in <c>data-live</c>.</summary>
    public abstract string Name { get; }

    /// <summary>How long it waits before it looks again when nobody rang. Default one second.</summary>
    public virtual TimeSpan Poll => TimeSpan.FromSeconds(1);

    /// <summary>The whole content as it is now; null when there is no such thing for that tenant.</summary>
    public abstract Task<string?> RenderAsync(LiveKey key, CancellationToken cancellation);
}
