namespace Llava.Ledger.Audit;

/// <summary>Who acts, as the audit log names it.</summary>
/// <param name="Name">Such as <c>key:7f3k…</c>, <c>terminal:ada</c>, <c>schedule:nightly</c> or <c>message</c>; never a secret.</param>
/// <param name="RequestId">The request that it acts by, as the server's log names it; null where there is none.</param>
public sealed record Actor(string Name, string? RequestId = null)
{
    /// <summary>The process itself, where nobody told it to.</summary>
    public static readonly Actor Process = new("process");

    private static readonly AsyncLocal<Actor?> Ambient = new();

    /// <summary>Who acts in this flow of control.</summary>
    public static Actor Current => Ambient.Value ?? Process;

    /// <summary>Makes this one act in whatever the caller awaits or starts from here on.</summary>
    public void Act() => Ambient.Value = this;
}
