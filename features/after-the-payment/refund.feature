@capture @refund
Feature: The Partner refunds
  The goods come back, and so does the money: as much as the Partner says, and once.

  @AP-50
  Scenario: All that was captured
    Given a Partner with an order of 459.00 SEK
    And Klarna will approve the payment
    When the Partner creates the payment
    Then the acquirer tells the Partner that the payment is approved
    When the Partner captures the whole amount
    Then Klarna has captured 459.00 SEK in 1 capture
    When the Partner refunds the whole amount
    Then Klarna has refunded 459.00 SEK in 1 refund
    And the acquirer responds that the refund is done

  @AP-50 @partial_refund
  Scenario: More than what was captured is refused, and the Partner is told
    Given a Partner with an order of 459.00 SEK
    And Klarna will approve the payment
    When the Partner creates the payment
    Then the acquirer tells the Partner that the payment is approved
    When the Partner captures the whole amount
    Then Klarna has captured 459.00 SEK in 1 capture
    When the Partner refunds 300.00 SEK
    And the Partner refunds 200.00 SEK
    Then the acquirer responds that the refund is refused
    And Klarna has refunded 300.00 SEK in 1 refund

  @AP-33 @AP-50 @partial_refund
  Scenario: Asked for twice, it is made once
    Given a Partner with an order of 459.00 SEK
    And Klarna will approve the payment
    When the Partner creates the payment
    Then the acquirer tells the Partner that the payment is approved
    When the Partner captures the whole amount
    Then Klarna has captured 459.00 SEK in 1 capture
    When the Partner refunds 100.00 SEK
    And the Partner asks for the same refund again
    Then Klarna has refunded 100.00 SEK in 1 refund
    And the acquirer responds that the refund is done

  @AP-33 @AP-38 @AP-50 @partial_refund @timing.retry_within_ms
  Scenario Outline: Klarna in trouble is asked again for the same refund: <trouble>
    Given a Partner with an order of 459.00 SEK
    And Klarna will approve the payment
    And Klarna will meet the refund with <trouble>
    When the Partner creates the payment
    Then the acquirer tells the Partner that the payment is approved
    When the Partner captures the whole amount
    Then Klarna has captured 459.00 SEK in 1 capture
    When the Partner refunds 100.00 SEK
    Then the acquirer repeats the refund with the same key and body
    And Klarna has refunded 100.00 SEK in 1 refund

    Examples:
      | trouble       |
      | status 503    |
      | a lost answer |
