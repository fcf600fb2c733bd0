using System.Data.Common;
using System.Security.Cryptography;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Files;

/// <summary>Files that are sent in parts, in any order and several at a time, and put together at the end.</summary>
public sealed class UploadStore
{
    /// <summary>Why an upload takes no more parts, is not completed and not cancelled.</summary>
    private const string NotPending = "upload_not_pending";

    /// <summary>How long rows and parts outlive their upload, so that nobody who is just putting parts together loses one.</summary>
    private static readonly TimeSpan SweptAfter = TimeSpan.FromHours(1);

    private readonly LedgerDatabase _database;
    private readonly FileStore _files;
    private readonly FileBytes _bytes;
    private readonly FileStoreOptions _options;
    private readonly TimeProvider _time;

    internal UploadStore(LedgerDatabase database, FileStore files, FileBytes bytes, FileStoreOptions options, TimeProvider time)
    {
        _database = database;
        _files = files;
        _bytes = bytes;
        _options = options;
        _time = time;
    }

    /// <summary>Begins a file that is sent in parts.</summary>
    /// <param name="tenant">Whose it is.</param>
    /// <param name="file">What is said about it.</param>
    /// <param name="bytes">How long it will be.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <exception cref="FileRefusedException">It would be longer than is taken.</exception>
    public async Task<UploadRecord> CreateAsync(string tenant, FileDescription file, long bytes, CancellationToken cancellation = default)
    {
        if (bytes > _options.MaxUploadBytes)
        {
            throw new FileRefusedException(FileRefusedException.TooLarge, $"'bytes' is {bytes}, and files of up to {_options.MaxUploadBytes} bytes are taken; split it, or raise Llava:Files:MaxUploadBytes.", "bytes");
        }

        var now = _time.GetUtcNow();
        UploadRecord upload = new()
        {
            Id = "upload_" + Guid.CreateVersion7(now).ToString("N"),
            Tenant = tenant,
            File = file,
            Bytes = bytes,
            State = UploadState.Pending,
            CreatedAt = now,
            ExpiresAt = now + _options.UploadLifetime,
        };
        await _database.WriteAsync((session, token) => session.Statement("insert_upload")
            .Set("@id", upload.Id)
            .Set("@tenant", tenant)
            .Set("@name", file.Name)
            .Set("@purpose", file.Purpose)
            .Set("@bytes", bytes)
            .Set("@lifetime", (long?)file.Lifetime?.TotalMilliseconds)
            .Set("@state", UploadState.Pending.WireName())
            .Set("@now", now.ToUnixTimeMilliseconds())
            .Set("@until", upload.ExpiresAt.ToUnixTimeMilliseconds())
            .ExecuteAsync(token), cancellation);
        return upload;
    }

    /// <summary>The upload; null when there is none or it is not this tenant's.</summary>
    /// <param name="id">Its id, as somebody wrote it.</param>
    /// <param name="tenant">The tenant whose uploads are looked at; null for all.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public async Task<UploadRecord?> FindAsync(string id, string? tenant, CancellationToken cancellation = default)
    {
        var found = await _database.ReadAsync((session, token) => session.Statement("read_upload").Set("@id", id).Set("@tenant", tenant).FirstAsync(Read, token), cancellation);
        return found is { State: UploadState.Pending } && found.ExpiresAt <= _time.GetUtcNow() ? found with { State = UploadState.Expired } : found;
    }

    /// <summary>Takes a part. What is sent again after a lost answer is a part of its own, which nobody needs to name.</summary>
    /// <exception cref="FileRefusedException">The part is too long, or there are too many, or the upload takes none any more.</exception>
    public async Task<UploadPart> AddPartAsync(UploadRecord upload, Stream content, CancellationToken cancellation = default)
    {
        RequirePending(upload);
        var kept = (await PartsAsync(upload.Id, cancellation)).Sum(part => part.Bytes);
        // Twice the length leaves room for every part to be sent again.
        var room = Math.Min(_options.MaxPartBytes, (2 * upload.Bytes) + _options.MaxPartBytes - kept);
        var id = "part_" + Guid.CreateVersion7(_time.GetUtcNow()).ToString("N");
        var location = LocationOf(upload.Id, id);
        try
        {
            long length = 0;
            await using (var bytes = _bytes.Create(location))
            {
                await foreach (var piece in LimitedCopy.ReadAsync(content, room, "data", cancellation))
                {
                    await bytes.WriteAsync(piece, cancellation);
                    length += piece.Length;
                }
            }

            UploadPart part = new(id, upload.Id, length, _time.GetUtcNow());
            await _database.WriteAsync((session, token) => session.Statement("insert_upload_part")
                .Set("@id", id)
                .Set("@upload", upload.Id)
                .Set("@bytes", length)
                .Set("@now", part.CreatedAt.ToUnixTimeMilliseconds())
                .ExecuteAsync(token), cancellation);
            return part;
        }
        catch
        {
            _bytes.Delete(location);
            throw;
        }
    }

    /// <summary>Puts the parts together. Asking again for what is complete gives the same file.</summary>
    /// <param name="upload">The upload.</param>
    /// <param name="parts">Ids of its parts in their order; others are left out.</param>
    /// <param name="md5">MD5 of the file in hexadecimal, checked where given.</param>
    /// <param name="cancellation">Gives up; nothing has changed then.</param>
    /// <returns>The upload, which is complete, and its file.</returns>
    /// <exception cref="FileRefusedException">Parts are missing or are not what was promised, or the upload was given up.</exception>
    public async Task<(UploadRecord Upload, FileRecord File)> CompleteAsync(UploadRecord upload, IReadOnlyList<string> parts, string? md5, CancellationToken cancellation = default)
    {
        if (upload.State == UploadState.Completed)
        {
            return (upload, await FileOfAsync(upload, cancellation));
        }

        RequirePending(upload);
        await RequirePartsAsync(upload, parts, cancellation);
        await using var draft = await _files.BeginAsync(upload.Tenant, cancellation);
        await JoinAsync(upload, parts, md5, draft, cancellation);
        var file = await draft.KeepAsync(upload.File, cancellation);
        var now = await SettleAsync(upload, UploadState.Completed, file.Id, cancellation);
        if (now.FileId == file.Id)
        {
            return (now, file);
        }

        // Somebody else completed or cancelled it at the same moment.
        await _files.DeleteAsync(file, cancellation);
        RequireState(now, UploadState.Completed);
        return (now, await FileOfAsync(now, cancellation));
    }

    /// <summary>Gives the upload up. Asking again changes nothing.</summary>
    /// <exception cref="FileRefusedException">It is complete, or its time is over.</exception>
    public async Task<UploadRecord> CancelAsync(UploadRecord upload, CancellationToken cancellation = default)
    {
        if (upload.State != UploadState.Cancelled)
        {
            RequirePending(upload);
            upload = await SettleAsync(upload, UploadState.Cancelled, null, cancellation);
            RequireState(upload, UploadState.Cancelled);
        }

        return upload;
    }

    /// <summary>Deletes parts and rows of uploads whose time has been over for a while; files stay.</summary>
    /// <returns>How many uploads.</returns>
    public async Task<int> DeleteExpiredAsync(CancellationToken cancellation = default)
    {
        var before = (_time.GetUtcNow() - SweptAfter).ToUnixTimeMilliseconds();
        var expired = await _database.ReadAsync((session, token) => session.Statement("list_expired_uploads").Set("@before", before).ListAsync(row => row.GetString(0), token), cancellation);
        foreach (var upload in expired)
        {
            cancellation.ThrowIfCancellationRequested();
            _bytes.DeleteFolder(FolderOf(upload));
            await _database.WriteAsync(async (session, token) =>
            {
                await session.Statement("delete_parts_of_upload").Set("@upload", upload).ExecuteAsync(token);
                return await session.Statement("delete_upload").Set("@id", upload).ExecuteAsync(token);
            }, CancellationToken.None);
        }

        return expired.Count;
    }

    private static string FolderOf(string upload) => Path.Combine("uploads", upload);

    private static string LocationOf(string upload, string part) => Path.Combine(FolderOf(upload), part);

    private static void RequirePending(UploadRecord upload) => RequireState(upload, UploadState.Pending);

    private static void RequireState(UploadRecord upload, UploadState state)
    {
        if (upload.State != state)
        {
            throw new FileRefusedException(NotPending, $"Upload '{upload.Id}' is {upload.State.WireName()} already; create another.", "upload_id");
        }
    }

    private async Task RequirePartsAsync(UploadRecord upload, IReadOnlyList<string> parts, CancellationToken cancellation)
    {
        var known = (await PartsAsync(upload.Id, cancellation)).ToDictionary(part => part.Id, part => part.Bytes);
        HashSet<string> named = [];
        foreach (var part in parts)
        {
            if (!known.ContainsKey(part))
            {
                throw new FileRefusedException("part_not_found", $"Upload '{upload.Id}' has no part '{part}'; name parts by the ids that were answered.", "part_ids");
            }

            if (!named.Add(part))
            {
                throw new FileRefusedException("duplicate_part", $"Part '{part}' is named twice; name each once, in the order of the file.", "part_ids");
            }
        }

        var total = parts.Sum(part => known[part]);
        if (total != upload.Bytes)
        {
            throw new FileRefusedException("bytes_mismatch", $"The {parts.Count} parts hold {total} bytes, and upload '{upload.Id}' was created for {upload.Bytes}; send what is missing, or create another.", "part_ids");
        }
    }

    private async Task JoinAsync(UploadRecord upload, IReadOnlyList<string> parts, string? md5, FileDraft draft, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        foreach (var part in parts)
        {
            await using var bytes = _bytes.Open(LocationOf(upload.Id, part));
            await foreach (var piece in LimitedCopy.ReadAsync(bytes, upload.Bytes, "data", cancellation))
            {
                hash.AppendData(piece.Span);
                await draft.WriteAsync(piece, cancellation);
            }
        }

        var actual = Convert.ToHexStringLower(hash.GetHashAndReset());
        if (md5 is not null && !string.Equals(md5, actual, StringComparison.OrdinalIgnoreCase))
        {
            throw new FileRefusedException("md5_mismatch", $"'md5' is '{md5}', and that of the parts in this order is '{actual}'; check their order, or send them again.", "md5");
        }
    }

    /// <summary>Brings a pending upload to its end and frees its parts; the upload as it is then, whoever brought it there.</summary>
    private async Task<UploadRecord> SettleAsync(UploadRecord upload, UploadState state, string? file, CancellationToken cancellation)
    {
        await _database.WriteAsync((session, token) => session.Statement("settle_upload")
            .Set("@id", upload.Id)
            .Set("@state", state.WireName())
            .Set("@file", file)
            .ExecuteAsync(token), cancellation);
        var now = await FindAsync(upload.Id, upload.Tenant, cancellation) ?? throw new FileRefusedException(NotPending, $"Upload '{upload.Id}' expired; create another.", "upload_id");
        if (now.State != UploadState.Pending)
        {
            _bytes.DeleteFolder(FolderOf(upload.Id));
        }

        return now;
    }

    private async Task<FileRecord> FileOfAsync(UploadRecord upload, CancellationToken cancellation) =>
        await _files.FindAsync(upload.FileId!, upload.Tenant, cancellation)
        ?? throw new FileRefusedException(NotPending, $"Upload '{upload.Id}' was completed, and its file '{upload.FileId}' is deleted; create another.", "upload_id");

    private Task<List<UploadPart>> PartsAsync(string upload, CancellationToken cancellation) =>
        _database.ReadAsync((session, token) => session.Statement("list_upload_parts")
            .Set("@upload", upload)
            .ListAsync(row => new UploadPart(row.GetString(0), upload, row.GetInt64(1), row.Time(2)), token), cancellation);

    private static UploadRecord Read(DbDataReader row) => new()
    {
        Id = row.GetString(0),
        Tenant = row.GetString(1),
        File = new(row.GetString(2), row.GetString(3), row.IsDBNull(5) ? null : TimeSpan.FromMilliseconds(row.GetInt64(5))),
        Bytes = row.GetInt64(4),
        State = UploadStates.Parse(row.GetString(6)),
        FileId = row.Text(7),
        CreatedAt = row.Time(8),
        ExpiresAt = row.Time(9),
    };
}
