namespace Llava.Testing;

/// <summary>Addresses below a client's own.</summary>
public static class RelativeUri
{
    /// <summary>The address of a path.</summary>
    public static Uri At(string path) => new(path, UriKind.Relative);
}
