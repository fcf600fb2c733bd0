using Llava.Ledger.Storage;

namespace Llava.Ledger.Files;

/// <summary>The folder that holds the bytes. Its names are ids we drew: no word of a sender becomes one.</summary>
internal sealed class FileBytes(LedgerOptions ledger, FileStoreOptions options)
{
    private const int BufferBytes = 128 * 1024;

    private readonly string _folder = options.Folder ?? Default(ledger);

    /// <summary>A new file to write to.</summary>
    public FileStream Create(string location)
    {
        var path = PathOf(location);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return new(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = BufferBytes, Options = FileOptions.Asynchronous });
    }

    /// <summary>The bytes to read; whoever has them open keeps them when they are deleted.</summary>
    /// <exception cref="FileNotFoundException">They are not there.</exception>
    public FileStream Open(string location)
    {
        var path = PathOf(location);
        try
        {
            return new(path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.Read | FileShare.Delete, BufferSize = BufferBytes, Options = FileOptions.Asynchronous });
        }
        catch (IOException missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FileNotFoundException($"The ledger has a file whose bytes are not at '{path}'; every process needs the same folder in Llava:Files:Folder.", path, missing);
        }
    }

    /// <summary>Deletes the bytes; what is gone already is no error.</summary>
    public void Delete(string location)
    {
        try
        {
            File.Delete(PathOf(location));
        }
        catch (DirectoryNotFoundException)
        {
            // Nothing was written.
        }
    }

    /// <summary>Deletes a folder with all that is in it; one that is gone already is no error.</summary>
    public void DeleteFolder(string location)
    {
        try
        {
            Directory.Delete(PathOf(location), recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Nothing was written.
        }
    }

    /// <summary>Where they are on this machine.</summary>
    public string PathOf(string location) => Path.Combine(_folder, location);

    private static string Default(LedgerOptions ledger) => PostgresAddress.Find(ledger) is null
        ? Path.Combine(Path.GetDirectoryName(Path.GetFullPath(ledger.Location))!, "files")
        : throw new InvalidOperationException("Llava:Files:Folder is not set, and a ledger in PostgreSQL has no folder beside it; name one that every process can reach.");
}
