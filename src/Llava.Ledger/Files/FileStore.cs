using System.Data.Common;
using System.Globalization;
using Llava.Ledger.Audit;
using Llava.Ledger.Storage;
using Microsoft.Extensions.Logging;

namespace Llava.Ledger.Files;

/// <summary>Files of tenants: who has which is in the ledger, the bytes are in a folder.</summary>
public sealed partial class FileStore
{
    private const string IdPrefix = "file-";
    private const int SweptTogether = 1000;

    /// <summary>How long bytes may take to come; what is not kept by then was left behind by a process that died.</summary>
    private static readonly TimeSpan DraftLifetime = TimeSpan.FromDays(1);

    private readonly LedgerDatabase _database;
    private readonly FileBytes _bytes;
    private readonly TimeProvider _time;
    private readonly ILogger<FileStore> _logger;

    internal FileStore(LedgerDatabase database, FileBytes bytes, TimeProvider time, ILogger<FileStore> logger)
    {
        _database = database;
        _bytes = bytes;
        _time = time;
        _logger = logger;
    }

    /// <summary>Keeps all of a stream as a file.</summary>
    /// <param name="tenant">Whose it is.</param>
    /// <param name="description">What is said about it.</param>
    /// <param name="content">The bytes; only a buffer of them is ever in memory.</param>
    /// <param name="maxBytes">How many are taken.</param>
    /// <param name="cancellation">Gives up; nothing is left.</param>
    /// <exception cref="FileRefusedException">There are more bytes.</exception>
    public async Task<FileRecord> CreateAsync(string tenant, FileDescription description, Stream content, long maxBytes, CancellationToken cancellation = default)
    {
        await using var draft = await BeginAsync(tenant, cancellation);
        await draft.CopyFromAsync(content, maxBytes, cancellation);
        return await draft.KeepAsync(description, cancellation);
    }

    /// <summary>Begins a file whose bytes are written one after the other, for a day at most.</summary>
    public async Task<FileDraft> BeginAsync(string tenant, CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow();
        var id = IdPrefix + Guid.CreateVersion7(now).ToString("N");
        FileRecord record = new()
        {
            Id = id,
            Tenant = tenant,
            Name = "",
            Purpose = "",
            Bytes = 0,
            Sha256 = "",
            CreatedAt = now,
            ExpiresAt = now + DraftLifetime,
            Location = Path.Combine(now.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), id),
        };
        // The row comes first, so that the bytes are found again whatever happens next.
        await _database.WriteAsync((session, token) => session.Statement("insert_file")
            .Set("@id", id)
            .Set("@tenant", tenant)
            .Set("@location", record.Location)
            .Set("@now", now.ToUnixTimeMilliseconds())
            .Set("@until", (now + DraftLifetime).ToUnixTimeMilliseconds())
            .ExecuteAsync(token), cancellation);
        return new(this, record, _bytes.Create(record.Location));
    }

    /// <summary>The file; null when there is none, it has expired, or it is not this tenant's.</summary>
    /// <param name="id">Its id, as somebody wrote it.</param>
    /// <param name="tenant">The tenant whose files are looked at; null for all.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public Task<FileRecord?> FindAsync(string id, string? tenant, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("read_file")
            .Set("@id", id)
            .Set("@tenant", tenant)
            .Set("@now", _time.GetUtcNow().ToUnixTimeMilliseconds())
            .FirstAsync(Read, token), cancellation);

    /// <summary>Files in the order in which they were begun.</summary>
    public Task<List<FileRecord>> ListAsync(FileFilter filter, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement(filter.OldestFirst ? "list_files_oldest_first" : "list_files")
            .Set("@tenant", filter.Tenant)
            .Set("@purpose", filter.Purpose)
            .Set("@after", filter.After)
            .Set("@now", _time.GetUtcNow().ToUnixTimeMilliseconds())
            .Set("@limit", filter.Limit)
            .ListAsync(Read, token), cancellation);

    /// <summary>The file's bytes, from the first on; they can be sought in.</summary>
    /// <exception cref="FileNotFoundException">This process does not reach the folder they are in, or they were deleted a moment ago.</exception>
    public Stream Open(FileRecord file) => _bytes.Open(file.Location);

    /// <summary>Where the file's bytes are on this machine, for whoever reads parts of it by a path; never for callers of an API.</summary>
    public string PathOf(FileRecord file) => _bytes.PathOf(file.Location);

    /// <summary>Deletes the file; whoever reads it at the moment still can.</summary>
    public async Task DeleteAsync(FileRecord file, CancellationToken cancellation = default)
    {
        // From here on it is not seen, and if this process dies the sweep does the rest.
        var now = _time.GetUtcNow();
        await _database.WriteAsync(async (session, token) =>
        {
            await session.Statement("expire_file").Set("@id", file.Id).Set("@now", now.ToUnixTimeMilliseconds()).ExecuteAsync(token);
            await AuditChain.AppendAsync(session, now, AuditActions.FileDeleted, file.Tenant, file.Id, new() { ["name"] = file.Name, ["purpose"] = file.Purpose }, token);
            return true;
        }, cancellation);
        await ForgetAsync(file);
        FileDeleted(file.Id, file.Tenant);
    }

    /// <summary>Deletes what has expired and what was left behind.</summary>
    /// <returns>How many.</returns>
    public async Task<int> DeleteExpiredAsync(CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        var deleted = 0;
        while (true)
        {
            var expired = await _database.ReadAsync((session, token) => session.Statement("list_expired_files").Set("@now", now).Set("@limit", SweptTogether).ListAsync(Read, token), cancellation);
            foreach (var file in expired)
            {
                cancellation.ThrowIfCancellationRequested();
                await ForgetAsync(file);
                deleted++;
            }

            if (expired.Count < SweptTogether)
            {
                return deleted;
            }
        }
    }

    internal async Task<FileRecord> KeepAsync(FileDraft draft, FileDescription description, string sha256, CancellationToken cancellation)
    {
        var kept = Finished(draft, description, sha256);
        await _database.WriteAsync(async (session, token) => await KeepAsync(session, kept, token), cancellation);
        FileKept(kept.Id, kept.Tenant, kept.Purpose, kept.Bytes);
        return kept;
    }

    /// <summary>What a draft will be as a file.</summary>
    internal FileRecord Finished(FileDraft draft, FileDescription description, string sha256) => draft.Record with
    {
        Name = description.Name,
        Purpose = description.Purpose,
        Bytes = draft.Bytes,
        Sha256 = sha256,
        ExpiresAt = _time.GetUtcNow() + description.Lifetime,
    };

    /// <summary>Makes a draft whose bytes are on the disk a file, inside a write of the caller's.</summary>
    /// <returns>True.</returns>
    internal static async Task<bool> KeepAsync(LedgerSession session, FileRecord file, CancellationToken cancellation) => await session.Statement("keep_file")
        .Set("@id", file.Id)
        .Set("@name", file.Name)
        .Set("@purpose", file.Purpose)
        .Set("@bytes", file.Bytes)
        .Set("@sha256", file.Sha256)
        .Set("@expires", file.ExpiresAt?.ToUnixTimeMilliseconds())
        .ExecuteAsync(cancellation) == 1
            ? true
            : throw new InvalidOperationException($"File '{file.Id}' took longer than {DraftLifetime} to be written and was given up; send it faster.");

    /// <summary>Bytes first, so that they are not lost sight of.</summary>
    internal async Task ForgetAsync(FileRecord file)
    {
        _bytes.Delete(file.Location);
        await _database.WriteAsync((session, token) => session.Statement("delete_file").Set("@id", file.Id).ExecuteAsync(token), CancellationToken.None);
    }

    private static FileRecord Read(DbDataReader row) => new()
    {
        Id = row.GetString(0),
        Tenant = row.GetString(1),
        Name = row.GetString(2),
        Purpose = row.GetString(3),
        Bytes = row.GetInt64(4),
        Sha256 = row.GetString(5),
        Location = row.GetString(6),
        CreatedAt = row.Time(7),
        ExpiresAt = row.TimeOrNull(8),
    };

    [LoggerMessage(2060, LogLevel.Information, "File {File} of tenant {Tenant} for {Purpose} is kept: {Bytes} bytes")]
    private partial void FileKept(string file, string tenant, string purpose, long bytes);

    [LoggerMessage(2061, LogLevel.Information, "File {File} of tenant {Tenant} is deleted")]
    private partial void FileDeleted(string file, string tenant);
}
