Feature: Klarna in trouble at the final authorization
  The customer has approved. The final call is made again as the same call, or the payment is lost, or made
  twice.

  @AP-26 @timing.retry_within_ms
  Scenario Outline: The call is repeated with its token, key and body: <trouble>
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    And Klarna will meet the final authorize with <trouble>
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then the acquirer repeats the final authorize with the same key and body
    And the acquirer tells the Partner that the payment is approved
    And the acquirer makes exactly one final authorize

    Examples:
      | trouble             |
      | status 500          |
      | a broken connection |

  @AP-26 @AP-25 @timing.retry_within_ms
  Scenario Outline: An answer that was lost is asked for again as the same call: <trouble>
    Klarna has taken the money. Another key, or another body, would take it twice.

    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    And Klarna will meet the final authorize with <trouble>
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then the acquirer repeats the final authorize with the same key and body
    And the acquirer tells the Partner that the payment is approved
    And the acquirer makes exactly one final authorize

    Examples:
      | trouble                   |
      | a lost answer             |
      | an answer that breaks off |
      | half an answer            |

  @AP-26 @AP-40 @timing.retry_within_ms @timing.klarna_timeout_ms
  Scenario: The call is repeated when Klarna does not answer
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    And Klarna will meet the final authorize with silence
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then the acquirer repeats the final authorize with the same key and body
    And the acquirer tells the Partner that the payment is approved

  @AP-37
  Scenario: The call is not repeated when Klarna refuses it
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    And Klarna will meet the final authorize with status 400
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then the acquirer does not repeat the final authorize
    And the Partner is not told that the payment is approved
