Feature: Klarna in trouble at the initial authorization
  Calls fail. Whether the same call is worth making again depends on how it failed, and Klarna must be able
  to tell a repeat from a new payment.

  @AP-38 @AP-36 @timing.retry_within_ms
  Scenario Outline: The call is repeated after trouble that passes: <trouble>
    Given a Partner with an order of 459.00 SEK
    And Klarna will approve the payment
    And Klarna will meet the initial authorize with <trouble>
    When the Partner creates the payment
    Then the acquirer repeats the initial authorize with the same key and body
    And the acquirer tells the Partner that the payment is approved

    Examples:
      | trouble                       |
      | status 500                    |
      | status 503 and a page of HTML |
      | a broken connection           |
      | an answer that is no HTTP     |

  @AP-38 @AP-33 @timing.retry_within_ms
  Scenario Outline: An answer that was lost is asked for again as the same call: <trouble>
    Klarna has decided. Another key would make a second payment of it.

    Given a Partner with an order of 459.00 SEK
    And Klarna will approve the payment
    And Klarna will meet the initial authorize with <trouble>
    When the Partner creates the payment
    Then the acquirer repeats the initial authorize with the same key and body
    And the acquirer tells the Partner that the payment is approved

    Examples:
      | trouble                   |
      | a lost answer             |
      | an answer that breaks off |
      | half an answer            |

  @AP-38
  Scenario Outline: An answer that takes its time is an answer: <trouble>
    Given a Partner with an order of 459.00 SEK
    And Klarna will approve the payment
    And Klarna will meet the initial authorize with <trouble>
    When the Partner creates the payment
    Then the acquirer tells the Partner that the payment is approved

    Examples:
      | trouble              |
      | an answer that drips |
      | a late answer        |

  @AP-38 @AP-40 @timing.retry_within_ms @timing.klarna_timeout_ms
  Scenario: The call is repeated when Klarna does not answer
    Given a Partner with an order of 459.00 SEK
    And Klarna will approve the payment
    And Klarna will meet the initial authorize with silence
    When the Partner creates the payment
    Then the acquirer repeats the initial authorize with the same key and body
    And the acquirer tells the Partner that the payment is approved

  @AP-39 @timing.retry_within_ms
  Scenario: The call is repeated after a pause when there were too many
    Given a Partner with an order of 459.00 SEK
    And Klarna will approve the payment
    And Klarna will meet the initial authorize with status 429
    When the Partner creates the payment
    Then the acquirer repeats the initial authorize with the same key and body
    And the acquirer waits before it repeats the initial authorize
    And the acquirer tells the Partner that the payment is approved

  @AP-37 @AP-36
  Scenario Outline: The call is not repeated when Klarna refuses it: <trouble>
    Given a Partner with an order of 459.00 SEK
    And Klarna will approve the payment
    And Klarna will meet the initial authorize with <trouble>
    When the Partner creates the payment
    Then the acquirer does not repeat the initial authorize
    And the Partner is not told that the payment is approved

    Examples:
      | trouble    |
      | status 400 |
      | status 409 |

  @AP-42 @AP-37
  Scenario: A 403 without a body is survived
    Given a Partner with an order of 459.00 SEK
    And Klarna will approve the payment
    And Klarna will meet the initial authorize with status 403 without a body
    When the Partner creates the payment
    Then the acquirer does not repeat the initial authorize
    And the acquirer tells the Partner that the payment is failed
    And the acquirer serves the Partner's next payment

  @AP-38 @timing.answer_ms
  Scenario: When Klarna fails for good, the Partner is told, and the next payment is served
    Given a Partner with an order of 459.00 SEK
    And Klarna will meet every initial authorize with status 500
    When the Partner creates the payment
    Then the acquirer answers the Partner in time
    And the acquirer tells the Partner that the payment is failed
    When Klarna is well again
    Then the acquirer serves the Partner's next payment

  @AP-38 @timing.answer_ms @timing.klarna_timeout_ms
  Scenario: When Klarna is silent for a while, the Partner is not kept waiting
    Given a Partner with an order of 459.00 SEK
    And Klarna will meet every initial authorize with silence
    When the Partner creates the payment
    Then the acquirer answers the Partner in time
    Given Klarna will approve the payment
    When Klarna is well again
    Then the acquirer tells the Partner that the payment is approved

  @AP-38 @AP-33 @timing.retry_within_ms
  Scenario: Three troubles in a row, each of its own kind
    Given a Partner with an order of 459.00 SEK
    And Klarna will approve the payment
    And Klarna will meet calls with this fault:
      """
      {operation: authorize, on: initial, times: 2, kind: status, status: 502, body: none}
      """
    And Klarna will meet calls with this fault:
      """
      {operation: authorize, on: initial, kind: cut, after: 20}
      """
    When the Partner creates the payment
    Then the acquirer repeats the initial authorize with the same key and body
    And the acquirer tells the Partner that the payment is approved
    And Klarna's journal shows at least 4 entries of authorize

  @AP-42
  Scenario: An answer of a wrong length does no lasting harm
    # Its JSON ends in the middle, and HTTP says that this is all of it.
    Given a Partner with an order of 459.00 SEK
    And Klarna will approve the payment
    And Klarna will meet the initial authorize with an answer of a wrong length
    When the Partner creates the payment
    Then the acquirer serves the Partner's next payment
