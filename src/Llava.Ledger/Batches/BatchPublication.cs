using System.Buffers;
using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Files;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Llava.Ledger.Storage;
using Llava.Ledger.Webhooks;
using Microsoft.Extensions.Logging;

namespace Llava.Ledger.Batches;

/// <summary>
/// Makes the output and error files of batches whose jobs are over, once: whoever finds such a batch without its files makes them, and of two
/// who do only the first is believed. Bytes that were written in vain are swept like any draft.
/// </summary>
public sealed partial class BatchPublication
{
    /// <summary>Purpose of the files, in OpenAI's words.</summary>
    public const string Purpose = "batch_output";

    private const int BufferBytes = 256 * 1024;

    private readonly LedgerDatabase _database;
    private readonly BatchStore _batches;
    private readonly JobReader _jobs;
    private readonly ResultReader _results;
    private readonly FileStore _files;
    private readonly TimeProvider _time;
    private readonly ILogger<BatchPublication> _logger;

    internal BatchPublication(LedgerDatabase database, BatchStore batches, FileStore files, TimeProvider time, ILogger<BatchPublication> logger)
    {
        _database = database;
        _batches = batches;
        _jobs = new(database);
        _results = new(database);
        _files = files;
        _time = time;
        _logger = logger;
    }

    /// <summary>Publishes every batch that waits for it; one that cannot be waits for the next time, and holds up no other.</summary>
    /// <returns>How many were published by this process.</returns>
    public async Task<int> PublishAsync(CancellationToken cancellation = default)
    {
        var published = 0;
        foreach (var batch in await _batches.UnpublishedAsync(cancellation))
        {
            try
            {
                published += await _jobs.FindAsync(batch.Job, cancellation) is { FinishedAt: not null } job && await PublishAsync(batch, job, cancellation) ? 1 : 0;
            }
            catch (Exception failure) when (!cancellation.IsCancellationRequested)
            {
                PublicationFailed(batch.Id, failure);
            }
        }

        return published;
    }

    /// <summary>The lines there are, of answers or of errors, in the order of the input: those of a batch that runs grow.</summary>
    /// <param name="job">The batch's job.</param>
    /// <param name="errors">Whether the errors are wanted.</param>
    /// <param name="cancellation">Stops reading.</param>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> LinesAsync(JobRecord job, bool errors, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation = default)
    {
        ArrayBufferWriter<byte> line = new();
        await foreach (var result in _results.StreamAsync(job.Id, cancellation: cancellation))
        {
            if (BatchLine.IsError(result) == errors)
            {
                line.ResetWrittenCount();
                BatchLine.Write(line, job, result);
                yield return line.WrittenMemory;
            }
        }
    }

    private async Task<bool> PublishAsync(BatchRecord batch, JobRecord job, CancellationToken cancellation)
    {
        await using OutputFile output = new(_files, batch, "output");
        await using OutputFile errors = new(_files, batch, "error");
        // A job that was refused before it had items has nothing to say for itself.
        await foreach (var result in _results.StreamAsync(job.Id, cancellation: cancellation))
        {
            await (BatchLine.IsError(result) ? errors : output).AddAsync(job, result, cancellation);
        }

        var made = new[] { await output.EndAsync(cancellation), await errors.EndAsync(cancellation) };
        var now = _time.GetUtcNow();
        var isMine = await _database.WriteAsync((session, token) => SettleAsync(session, batch, job, made, now, token), cancellation);
        if (isMine)
        {
            output.Kept();
            errors.Kept();
            Published(batch.Id, job.Id, made[0]?.Id, made[1]?.Id);
        }

        return isMine;
    }

    private static async Task<bool> SettleAsync(LedgerSession session, BatchRecord batch, JobRecord job, FileRecord?[] made, DateTimeOffset now, CancellationToken cancellation)
    {
        var isFirst = await session.Statement("publish_batch")
            .Set("@id", batch.Id)
            .Set("@output", made[0]?.Id)
            .Set("@errors", made[1]?.Id)
            .Set("@finished", job.FinishedAt?.ToUnixTimeMilliseconds())
            .Set("@now", now.ToUnixTimeMilliseconds())
            .ExecuteAsync(cancellation) == 1;
        if (!isFirst)
        {
            // Run again after a commit that nobody confirmed, it finds its own.
            return session.IsRepeat && await BatchStore.FindAsync(session, batch.Id, batch.Tenant, cancellation) is { } settled
                && settled.PublishedAt?.ToUnixTimeMilliseconds() == now.ToUnixTimeMilliseconds() && settled.OutputFile == made[0]?.Id && settled.ErrorFile == made[1]?.Id;
        }

        foreach (var file in made)
        {
            _ = file is null || await FileStore.KeepAsync(session, file, cancellation);
        }

        // Of a job that was tried again, the files of its first end.
        foreach (var former in new[] { batch.OutputFile, batch.ErrorFile }.OfType<string>())
        {
            await session.Statement("expire_file").Set("@id", former).Set("@now", now.ToUnixTimeMilliseconds()).ExecuteAsync(cancellation);
        }

        await WebhookEvent.OfBatch(batch, job, now).AddAsync(session, batch.Tenant, cancellation);
        return true;
    }

    [LoggerMessage(2070, LogLevel.Information, "Batch {Batch} of job {Job} is published: output {Output}, errors {Errors}")]
    private partial void Published(string batch, JobId job, string? output, string? errors);

    [LoggerMessage(2071, LogLevel.Error, "The files of batch {Batch} could not be made; trying again")]
    private partial void PublicationFailed(string batch, Exception failure);

    /// <summary>One of the two files; there is none until it has a line.</summary>
    private sealed class OutputFile(FileStore files, BatchRecord batch, string name) : IAsyncDisposable
    {
        private readonly ArrayBufferWriter<byte> _lines = new(BufferBytes);
        private FileDraft? _draft;

        public async Task AddAsync(JobRecord job, ItemResult result, CancellationToken cancellation)
        {
            BatchLine.Write(_lines, job, result);
            if (_lines.WrittenCount >= BufferBytes)
            {
                await FlushAsync(cancellation);
            }
        }

        /// <summary>The file as it will be; null when it has no line.</summary>
        public async Task<FileRecord?> EndAsync(CancellationToken cancellation)
        {
            await FlushAsync(cancellation);
            return _draft is null ? null : files.Finished(
                _draft, new($"{batch.Id}_{name}.jsonl", Purpose, batch.Description.OutputLifetime), await _draft.CloseAsync(cancellation));
        }

        public void Kept() => _draft?.Kept();

        public ValueTask DisposeAsync() => _draft?.DisposeAsync() ?? ValueTask.CompletedTask;

        private async Task FlushAsync(CancellationToken cancellation)
        {
            if (_lines.WrittenCount > 0)
            {
                _draft ??= await files.BeginAsync(batch.Tenant, cancellation);
                await _draft.WriteAsync(_lines.WrittenMemory, cancellation);
                _lines.ResetWrittenCount();
            }
        }
    }
}
