using Llava.Contracts.States;

namespace Llava.Contracts.Documents;

/// <summary>What a person says of an item's answer.</summary>
/// <param name="Verdict">Whether it is right.</param>
/// <param name="Text">The right text, for <see cref="ReviewVerdict.Edited"/>.</param>
public sealed record ReviewRequest(ReviewVerdict Verdict, string? Text = null);

/// <summary>A review as it is kept.</summary>
/// <param name="Number">Counted from 1 for each item; the last one holds.</param>
/// <param name="Verdict">What was said.</param>
/// <param name="Text">The right text, where it was edited.</param>
/// <param name="Original">The answer that was looked at.</param>
/// <param name="Reviewer">Who said it.</param>
/// <param name="CreatedAt">When.</param>
public sealed record ReviewDocument(int Number, ReviewVerdict Verdict, string? Text, string? Original, string Reviewer, DateTimeOffset CreatedAt);

/// <summary>How many items of a job stand how.</summary>
/// <param name="Accepted">Right as they are.</param>
/// <param name="Edited">Put right.</param>
/// <param name="Rejected">Wrong.</param>
public sealed record ReviewCountsDocument(long Accepted, long Edited, long Rejected);

/// <summary>Asks for a file to train on.</summary>
/// <param name="Format"><c>llava</c> for LLaVA's conversation JSON, <c>openai</c> for OpenAI's chat JSON Lines.</param>
public sealed record TrainingFileRequest(string Format = "llava");

/// <summary>A file to train on, made of reviewed answers; <c>GET /v1/files/{id}/content</c> reads it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Filename">Its name.</param>
/// <param name="Purpose"><c>fine-tune</c>.</param>
/// <param name="Bytes">Its length.</param>
public sealed record TrainingFileDocument(string Id, string Filename, string Purpose, long Bytes);
