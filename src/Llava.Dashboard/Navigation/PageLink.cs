using Llava.Ledger.Keys;

namespace Llava.Dashboard.Navigation;

/// <summary>A line of the navigation.</summary>
/// <param name="Name">What people read.</param>
/// <param name="Path">Where it leads; pages below belong to it.</param>
/// <param name="Icon">Name in <c>icons.svg</c>.</param>
/// <param name="Role">Who sees it.</param>
internal sealed record PageLink(string Name, string Path, string Icon, AccessRole Role = AccessRole.Viewer)
{
    /// <summary>Whether a page belongs to this line.</summary>
    public bool Holds(string path) => Path == "/" ? path == "/" : path == Path || path.StartsWith(Path + "/", StringComparison.Ordinal);
}
