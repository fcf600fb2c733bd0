using System.Security.Cryptography;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Files;

/// <summary>
/// A file while its bytes come. Nobody sees it until it is kept; one that is not kept is gone when it is disposed, or a day later when
/// its process died.
/// </summary>
public sealed class FileDraft : IAsyncDisposable
{
    private readonly FileStore _store;
    private readonly FileStream _bytes;
    private readonly IncrementalHash _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private bool _isKept;

    internal FileDraft(FileStore store, FileRecord record, FileStream bytes)
    {
        _store = store;
        _bytes = bytes;
        Record = record;
    }

    /// <summary>The id that the file will have.</summary>
    public string Id => Record.Id;

    /// <summary>Bytes written so far.</summary>
    public long Bytes { get; private set; }

    internal FileRecord Record { get; }

    /// <summary>Adds bytes at the end. One caller at a time.</summary>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation = default)
    {
        _sha256.AppendData(bytes.Span);
        Bytes += bytes.Length;
        await _bytes.WriteAsync(bytes, cancellation);
    }

    /// <summary>Adds all of a stream, holding no more of it than a buffer.</summary>
    /// <param name="content">The bytes.</param>
    /// <param name="maxBytes">How long the whole draft may become.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="FileRefusedException">The stream is longer.</exception>
    public async Task CopyFromAsync(Stream content, long maxBytes, CancellationToken cancellation = default)
    {
        await foreach (var bytes in LimitedCopy.ReadAsync(content, maxBytes - Bytes, "file", cancellation))
        {
            await WriteAsync(bytes, cancellation);
        }
    }

    /// <summary>Makes it a file that is seen. Its bytes are on the disk before the ledger says so.</summary>
    /// <exception cref="InvalidOperationException">It took longer than a day and was given up.</exception>
    public async Task<FileRecord> KeepAsync(FileDescription description, CancellationToken cancellation = default)
    {
        var kept = await _store.KeepAsync(this, description, await CloseAsync(cancellation), cancellation);
        _isKept = true;
        return kept;
    }

    /// <summary>Ends the bytes and brings them to the disk.</summary>
    /// <returns>Their SHA-256.</returns>
    internal async Task<string> CloseAsync(CancellationToken cancellation)
    {
        await _bytes.FlushAsync(cancellation);
        RandomAccess.FlushToDisk(_bytes.SafeFileHandle);
        await _bytes.DisposeAsync();
        return Convert.ToHexStringLower(_sha256.GetHashAndReset());
    }

    /// <summary>Says that a write of the caller's has made it a file (<see cref="FileStore.KeepAsync(LedgerSession, FileRecord, CancellationToken)"/>).</summary>
    internal void Kept() => _isKept = true;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _bytes.DisposeAsync();
        _sha256.Dispose();
        if (!_isKept)
        {
            await _store.ForgetAsync(Record);
        }
    }
}
