namespace Llava.Contracts.Interactive;

/// <summary>Images to be turned into vectors.</summary>
/// <param name="RequestId">Name under which the request is found in logs.</param>
/// <param name="Model">The model, by the name that jobs use or the last part of it.</param>
/// <param name="Images">Image files' contents.</param>
public sealed record EmbeddingRequest(string RequestId, string Model, IReadOnlyList<byte[]> Images);

/// <summary>The vectors.</summary>
/// <param name="Vectors">One of length 1 for each image.</param>
/// <param name="ImageTokens">Image features that went into each.</param>
public sealed record EmbeddingAnswer(IReadOnlyList<float[]> Vectors, int ImageTokens);

/// <summary>What an endpoint answers to an <see cref="EmbeddingRequest"/>: one of the two.</summary>
/// <param name="Answer">The vectors.</param>
/// <param name="Error">Why there are none.</param>
public sealed record EmbeddingReply(EmbeddingAnswer? Answer, InteractiveError? Error);
